"""The places that the active jobs of an account have, and when the next one is free."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, field

from batchctl.model.forecast import ExpectedEnd


class Places(Struct):
    """The ends of the jobs that have a place, as heaps. The k-th place is free at the k-th end, by each percentile.

    None: an end is not known, so it is not known either when any place is free.
    """

    count: int = 0
    soon: list[datetime] | None = field(default_factory=list)
    """By p50."""
    late: list[datetime] | None = field(default_factory=list)
    """By p90."""

    @classmethod
    def of(cls, ends: Iterable[ExpectedEnd | None]) -> Places:
        """The places of jobs with these ends."""
        found = list(ends)
        soon = sorted(end.p50 for end in found if end is not None)
        late = sorted(end.p90 for end in found if end is not None and end.p90 is not None)
        count = len(found)
        return cls(count, soon if len(soon) == count else None, late if len(late) == count else None)

    @property
    def first(self) -> ExpectedEnd | None:
        """When the next place is free; None if that is not known."""
        return ExpectedEnd(self.soon[0], self.late[0] if self.late else None) if self.soon else None

    def take(self, end: ExpectedEnd | None) -> None:
        """Give the place that is free first to a job with this end."""
        self.soon = _taken(self.soon, None if end is None else end.p50)
        self.late = _taken(self.late, None if end is None else end.p90)


def _taken(ends: list[datetime] | None, end: datetime | None) -> list[datetime] | None:
    if ends is None or end is None:
        return None
    from heapq import heapreplace  # for jobs that wait for a place

    heapreplace(ends, end)
    return ends
