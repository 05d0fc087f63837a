"""Chains: jobs whose rows are made from the good answers of another job."""

from __future__ import annotations

from msgspec import Struct

MOST_EXAMPLES = 5
"""The most answers without a row that are named; the others are counted."""


class Chain(Struct, frozen=True):
    """The manifest's part of a chain."""

    job: str
    """The job whose answers the rows are made from."""
    template: str
    """The sha256 of the template."""


class LeftOut(Struct, frozen=True):
    """A row of the other job from which no row could be made."""

    key: str
    reason: str


class ChainCount(Struct, frozen=True):
    """The rows of the other job, by what became of them."""

    rows: int = 0
    """Rows that were made."""
    left_out: int = 0
    """Rows without a good answer, or whose answer does not fit the template."""
    missing: int = 0
    """How many of these have no result at all. Their keys are not in the results."""
    examples: tuple[LeftOut, ...] = ()
    """The first of the others, up to `MOST_EXAMPLES`."""

    @property
    def words(self) -> str:
        """Such as `3 of 100 rows left out: a (MAX_TOKENS), b (SAFETY), 1 without a result`; empty if none is."""
        if not self.left_out:
            return ""
        named = [f"{one.key} ({one.reason})" for one in self.examples]
        more = self.left_out - self.missing - len(named)
        named += [f"{more:,} more"] if more else []
        named += [f"{self.missing:,} without a result"] if self.missing else []
        return f"{self.left_out:,} of {self.rows + self.left_out:,} rows left out: {', '.join(named)}"


class Obstacle(Struct, frozen=True):
    """Why no rows could be made, although the other job has results."""

    words: str
    is_lasting: bool = True
    """Whether it stays so until a person changes something."""
    count: ChainCount | None = None

    @property
    def sentence(self) -> str:
        """The words, with the rows that were left out."""
        return "; ".join(filter(None, (self.words, "" if self.count is None else self.count.words)))
