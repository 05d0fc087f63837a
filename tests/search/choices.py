"""Every way that a piece of straight code can go: it asks for choices, and is run once for each list of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """The answers of one run: those that are given, then the first of each question."""

    def __init__(self, answers: Sequence[int] = (), faults: int = 0) -> None:
        self._answers = list(answers)
        self._sizes: list[int] = []
        self._faults = faults
        """How many more things may go wrong."""
        self.words: list[str] = []
        """What was chosen, where there was a choice."""

    def pick(self, subject: str, *options: str) -> str:
        """One of several ways that are all in order."""
        if len(options) == 1:
            return options[0]
        place = len(self._sizes)
        if place == len(self._answers):
            self._answers.append(0)
        self._sizes.append(len(options))
        chosen = options[self._answers[place]]
        self.words.append(f"{subject}: {chosen}")
        return chosen

    def fault(self, subject: str, normal: str, *faults: str) -> str:
        """The normal way, or one of several faults while any is left for this run."""
        if self._faults == 0:
            return normal
        chosen = self.pick(subject, normal, *faults)
        if chosen == normal:
            self.words.pop()
        else:
            self._faults -= 1
        return chosen

    @property
    def next_answers(self) -> list[int] | None:
        """The answers of the next run; None when there is no other."""
        answers = self._answers[: len(self._sizes)]
        while answers and answers[-1] + 1 == self._sizes[len(answers) - 1]:
            answers.pop()
        if not answers:
            return None
        answers[-1] += 1
        return answers


def every_way(run: Callable[[Choices], T], faults: int) -> Iterator[tuple[tuple[str, ...], T]]:
    """All ways that a run can go, each with what was chosen in it and what came of it."""
    answers: list[int] | None = []
    while answers is not None:
        choices = Choices(answers, faults)
        result = run(choices)
        yield tuple(choices.words), result
        answers = choices.next_answers
