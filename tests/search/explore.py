"""The search: all states that a small world can come to, level by level, each once.

States are compared by their hash (64 bits): that two of a million are taken for one has a chance of one in forty
million. A broken promise is shown with the shortest way to it, as a list of what happened.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.search.broken import BrokenPromise
from tests.search.decisions import Planner
from tests.search.events import successors
from tests.search.scenes import Scene
from tests.search.stability import Calm
from tests.search.state import State

Words = tuple[str, ...]


@dataclass
class Finding:
    """A broken promise, with everything that happened on the way to it."""

    problem: str
    trace: list[Words]

    def __str__(self) -> str:
        steps = [f"{number:3}. {'; '.join(words)}" for number, words in enumerate(self.trace, start=1)]
        return "\n".join([self.problem, *steps])


@dataclass
class Figures:
    """How much was searched."""

    states: int = 0
    transitions: int = 0
    plans: int = 0
    depth: int = 0
    full_depth: int = 0
    """Up to here every state was followed, from here on those that were drawn."""
    passes: int = 0
    """The longest calm, in passes."""
    seconds: float = 0

    def __str__(self) -> str:
        sampled = "" if self.depth == self.full_depth else f", in full to {self.full_depth}"
        return (
            f"depth {self.depth}{sampled}: {self.states:,} states, {self.transitions:,} transitions,"
            f" {self.plans:,} plans, at rest after at most {self.passes} passes, {self.seconds:.0f} s"
        )


@dataclass
class Search:
    """One search of one scene."""

    scene: Scene
    planner: Planner = field(default_factory=Planner)
    seed: int = 1

    def __post_init__(self) -> None:
        self.calm = Calm(self.scene, self.planner)
        self.figures = Figures()
        self._ways: dict[int, tuple[int, Words]] = {}
        """How each state was come to first: the state before, by its hash, and what happened."""

    def run(self, depth: int, *, most_states: int | None = None, seconds: float | None = None) -> Finding | None:
        """Search to a depth; gives the first broken promise. Of more new states on a level than may be, some are drawn."""
        begun, draw = time.process_time(), random.Random(self.seed)
        frontier: list[State] = []
        is_full = True
        try:
            frontier.extend(self._starts())
        except BrokenPromise as broken:
            return Finding(f"in the calm from the beginning, {broken}", [])
        for level in range(1, depth + 1):
            following: list[State] = []
            for state in frontier:
                finding = self._expand(state, following)
                self.figures.seconds = time.process_time() - begun
                if finding is not None:
                    return finding
                if seconds is not None and self.figures.seconds > seconds:
                    return None
            if most_states is not None and len(following) > most_states:
                following, is_full = draw.sample(following, most_states), False
            frontier = following
            self.figures.depth = level
            self.figures.full_depth += is_full
        return None

    def _starts(self) -> Iterator[State]:
        """From nothing, from jobs that run, and from jobs that have ended and are collected."""
        state = State(tuple((name, self.scene.works_of(name)[0]) for name in self.scene.names))
        for words, is_over in (("nothing was done yet", None), ("all jobs run", False), ("all jobs are done", True)):
            if is_over is not None:
                state = self.calm.follow(state, until_over=is_over)
            self._ways[hash(state)] = (0, (words,))
            yield state

    def _expand(self, state: State, following: list[State]) -> Finding | None:
        for words, outcome in successors(self.scene, self.planner, state):
            self.figures.transitions += 1
            if isinstance(outcome, BrokenPromise):
                return Finding(str(outcome), [*self._trace(hash(state)), words])
            place = hash(outcome)
            if place in self._ways:
                continue
            self._ways[place] = (hash(state), words)
            following.append(outcome)
            try:
                self.calm.check(outcome)
            except BrokenPromise as broken:
                return Finding(f"in the calm after this, {broken}", self._trace(place))
        self.figures.states = len(self._ways)
        self.figures.plans = self.planner.planned
        self.figures.passes = self.calm.longest
        return None

    def _trace(self, place: int) -> list[Words]:
        return list(self._walk_back(place))[::-1]

    def _walk_back(self, place: int) -> Iterator[Words]:
        while place:
            place, words = self._ways[place]
            yield words
