"""The rows of a job without a good answer: how many there are, why, and whether they are sent again."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class RowNext(StrEnum):
    """The next event of a row without a good answer."""

    UNDER_WAY = "underWay"
    """The current attempt has sent it, or is about to."""
    AGAIN = "again"
    """The next attempt sends it."""
    FALLBACK = "fallback"
    """A later attempt sends it by `rows.fallback`."""
    NOTHING = "nothing"
    """It is not sent again by itself."""


class RowLeft(Struct, frozen=True):
    """One row without a good answer."""

    name: str
    """Its key, or the one that batchctl gives it."""
    index: int
    """Its position in the input, from 0."""
    code: str
    """The verdict on its latest result."""
    tries: int
    """How many attempts gave a result that is not good."""
    message: str
    """The words of the API about it; empty if there are none."""
    next: RowNext


class RowsLeft(Struct, frozen=True):
    """The rows of a job's input that have no good answer yet. Numbers of rows."""

    total: int
    good: int
    not_sent: int
    """Rows that no attempt has sent."""
    counts: dict[RowNext, int]
    """Rows that were sent and have no good answer, by what happens next."""
    first: tuple[RowLeft, ...] = ()
    """A few of these, in input order: of each verdict the first ones."""

    @property
    def left(self) -> int:
        """Rows without a good answer, sent or not."""
        return self.total - self.good

    @property
    def failed(self) -> int:
        """Rows that were sent and have no good answer."""
        return self.left - self.not_sent
