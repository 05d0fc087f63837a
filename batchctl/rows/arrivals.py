"""What is kept in memory of each result while its place is not known, and what becomes of it.

Takes some thirty bytes a result. Owns what comes first: an answer before an empty one, both before an error, what
surely is the row's before what may be, and the final file before what was written early.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import IntEnum

from batchctl.model.desired import Json
from batchctl.model.ports import ResultItem
from batchctl.rows.fingerprint import fingerprint

NOWHERE = -1
_NOTHING: tuple[Json, ...] = (None, "", [], {})


class Fate(IntEnum):
    """What becomes of a result."""

    UNMATCHED = 0
    """Kept, although it belongs to no input row, or to one that has another answer."""
    MATCHED = 1
    DROPPED = 2
    """It came twice, or the same row has an answer."""


@dataclass
class Settled:
    """The place of each result, in the order of their arrival."""

    rows: array[int]
    """The 0-based input position; NOWHERE where it is not known."""
    fates: bytearray
    missing: int | None = None
    """Input rows without any result; None when the input is not known."""

    def put(self, number: int, row: int, fate: Fate) -> None:
        """Say what becomes of a result."""
        self.rows[number], self.fates[number] = row, fate


@dataclass
class Arrivals:
    """All results so far."""

    answers: bytearray = field(default_factory=bytearray)
    """Whether each is an answer."""
    hollow: bytearray = field(default_factory=bytearray)
    """Whether each is an answer that holds nothing."""
    early: bytearray = field(default_factory=bytearray)
    doubtful: bytearray = field(default_factory=bytearray)
    """Whether it echoes something else than its row asked."""
    outcomes: array[int] = field(default_factory=lambda: array("Q"))
    """A fingerprint of its response or error."""
    lines: array[int] = field(default_factory=lambda: array("Q"))
    """A fingerprint of all that it says."""

    def add(self, item: ResultItem) -> int:
        """Take in the next result; gives its number."""
        number = len(self.answers)
        outcome = fingerprint([item.response, item.error])
        self.answers.append(item.response is not None)
        self.hollow.append(item.response is not None and all(value in _NOTHING for value in item.response.values()))
        self.early.append(item.early)
        self.doubtful.append(False)
        self.outcomes.append(outcome)
        try:
            line = fingerprint([outcome, item.key, item.index, item.members, item.request])
        except RecursionError:
            line = fingerprint(["nested too deeply", number])
        self.lines.append(line)
        return number

    def settled(self) -> Settled:
        """A place for each, still empty; what was written early and is there again is dropped already."""
        count = len(self.answers)
        found = Settled(array("q", [NOWHERE]) * count, bytearray(count))
        if any(self.early):
            final = {line for number, line in enumerate(self.lines) if not self.early[number]}
            for number, line in enumerate(self.lines):
                if self.early[number] and line in final:
                    found.fates[number] = Fate.DROPPED
        return found

    def order(self, settled: Settled) -> list[int]:
        """The numbers of all that are not dropped, the best first."""
        kept = (number for number, fate in enumerate(settled.fates) if fate != Fate.DROPPED)
        return sorted(kept, key=self._rank)

    def is_copy(self, number: int, other: int) -> bool:
        """Whether a result says nothing that counts beside another one for the same row, which comes first."""
        says_nothing = not self.answers[number] or self.hollow[number] or self.early[number]
        return bool(says_nothing) or self.outcomes[number] == self.outcomes[other]

    def _rank(self, number: int) -> tuple[bool, int, int, int]:
        return not self.answers[number], self.hollow[number], self.doubtful[number], self.early[number]
