"""The facts about each result that stay in memory until its row is known, and the order in which results count.

A result takes about thirty bytes. An answer counts before an empty one, and both before an error. A result that is
certain to belong to its row counts before a doubtful one, and the final file before early files.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.fingerprint import fingerprint

ReadAgain: TypeAlias = tuple[str | None, Json]
"""The key and the response of a result."""
NOWHERE = -1
_MOST = 2**64 - 1
_NOTHING: tuple[Json, ...] = (None, "", [], {})


class Fate(IntEnum):
    """The fate of a result."""

    UNMATCHED = 0
    """Kept, but without an input row, or for a row that has another answer."""
    MATCHED = 1
    DROPPED = 2
    """A copy, or a result for a row that has an answer."""


@dataclass
class Settled:
    """The row of each result, in order of arrival."""

    rows: array[int] | range
    """The 0-based input position; NOWHERE if it is not known."""
    fates: bytearray
    missing: int | None = None
    """Input rows without any result; None when the input is not known."""

    def put(self, number: int, row: int, fate: Fate) -> None:
        """Set the row and the fate of a result."""
        assert isinstance(self.rows, array)
        self.rows[number], self.fates[number] = row, fate


def nothing(_number: int) -> ReadAgain:
    """Reads results again where there are none."""
    return None, None


@dataclass
class Arrivals:
    """The results that have arrived."""

    answers: bytearray = field(default_factory=bytearray)
    """Whether each one is an answer."""
    hollow: bytearray = field(default_factory=bytearray)
    """Whether each one is an empty answer."""
    early: bytearray = field(default_factory=bytearray)
    doubtful: bytearray = field(default_factory=bytearray)
    """Whether each one echoes another request than that of its row."""
    _outcomes: array[int] = field(default_factory=lambda: array("Q"))
    """A fingerprint of its response or error; 0: not made yet."""
    _lines: array[int] = field(default_factory=lambda: array("Q"))
    """A fingerprint of the whole result; 0: not made yet."""
    _read: Callable[[int], ReadAgain] = nothing

    def add(self, item: ResultItem) -> int:
        """Add the next result; returns its number."""
        number = len(self.answers)
        outcome = fingerprint([item.response, item.error])
        self.answers.append(item.response is not None)
        self.hollow.append(is_hollow(item))
        self.early.append(item.early)
        self.doubtful.append(False)
        self._outcomes.append(outcome)
        try:
            beside = fingerprint([item.members, item.request]) if item.members or item.request else 0
        except RecursionError:
            beside = fingerprint(["nested too deeply", number])
        self._lines.append(hash((outcome, item.key, item.index, beside)) & _MOST)
        return number

    def add_answers(self, count: int, read: Callable[[int], ReadAgain]) -> None:
        """Add the next results: answers with nothing but a key. `read` reads them again, if two have to be compared."""
        self.answers += b"\1" * count
        for flags in (self.hollow, self.early, self.doubtful):
            flags.extend(bytes(count))
        for marks in (self._outcomes, self._lines):
            marks.extend([0] * count)
        self._read = read

    def add_again(self, others: Arrivals, number: int) -> None:
        """Add a result that was added to others, where it has this number."""
        for own, theirs in (
            (self.answers, others.answers),
            (self.hollow, others.hollow),
            (self.early, others.early),
            (self.doubtful, others.doubtful),
            (self._outcomes, others._outcomes),
            (self._lines, others._lines),
        ):
            own.append(theirs[number])

    def outcome(self, number: int) -> int:
        """A fingerprint of the response or error of a result."""
        if not self._outcomes[number]:
            self._outcomes[number] = fingerprint([self._read(number)[1], None])
        return self._outcomes[number]

    def _line(self, number: int) -> int:
        """A fingerprint of a whole result."""
        return self._lines[number] or hash((self.outcome(number), self._read(number)[0], None, 0)) & _MOST

    def settled(self) -> Settled:
        """Rows for all results, not known yet. Early results that the final file repeats are dropped."""
        count = len(self.answers)
        found = Settled(array("q", [NOWHERE]) * count, bytearray(count))
        if any(self.early):
            final = {self._line(number) for number, is_early in enumerate(self.early) if not is_early}
            for number, is_early in enumerate(self.early):
                if is_early and self._line(number) in final:
                    found.fates[number] = Fate.DROPPED
        return found

    def order(self, settled: Settled) -> Sequence[int]:
        """The numbers of the results that are not dropped, the best first."""
        differ = not all(self.answers) or any(self.hollow) or any(self.doubtful) or any(self.early)
        if not differ and Fate.DROPPED not in settled.fates:
            return range(len(settled.fates))
        kept = (number for number, fate in enumerate(settled.fates) if fate != Fate.DROPPED)
        return sorted(kept, key=self._rank)

    def is_copy(self, number: int, other: int) -> bool:
        """Whether a result adds nothing to another one for the same row that counts before it."""
        says_nothing = not self.answers[number] or self.hollow[number] or self.early[number]
        return bool(says_nothing) or self.outcome(number) == self.outcome(other)

    def _rank(self, number: int) -> tuple[bool, int, int, int]:
        return not self.answers[number], self.hollow[number], self.doubtful[number], self.early[number]


def is_hollow(item: ResultItem) -> bool:
    """Whether a result is an answer without content."""
    if item.response is None:
        return False
    values = item.response.values()
    return not any(values) and all(value in _NOTHING for value in values)


def without_position(settled: Settled) -> Iterable[int]:
    """Results that count although their position is not known."""
    if NOWHERE not in settled.rows:
        return ()
    return (
        number for number, fate in enumerate(settled.fates) if fate == Fate.MATCHED and settled.rows[number] == NOWHERE
    )
