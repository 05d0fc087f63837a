"""One snapshot as the page reads it: each part is made once, when it is first asked for, and served many times.

A view also knows which jobs changed since which number, so that a client that slept gets every change once, in one
message, and nothing is kept for it meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.plan import JobPlan
from batchctl.model.states import ENDED_PHASES, FAILED_PHASES, NO_GOOD_PHASES, Phase
from batchctl.model.times import rfc3339
from batchctl.report.job_document import status_document
from batchctl.server.snapshot import Snapshot

T = TypeVar("T")
Document = dict[str, Json]

MOST_REMOVED = 1000
"""The number of removed jobs that are remembered; a client that missed more reads everything again."""


class Changes(Struct, frozen=True):
    """The jobs that changed after a number; `is_known` is False where only reading everything again helps."""

    jobs: tuple[str, ...]
    removed: tuple[str, ...]
    is_known: bool = True


class View:
    """The documents of one snapshot. Thread-safe."""

    def __init__(self, snapshot: Snapshot, epoch: str, number: int, before: View | None) -> None:
        """`epoch` identifies the process. `before` is the view with a lower number, which is not kept."""
        self.snapshot = snapshot
        self.number = number
        self.change = f"{epoch}-{number}"
        self._lock = threading.RLock()
        self._made: dict[str, object] = {}
        self.plans: Mapping[str, JobPlan] = {job.job: job for job in snapshot.plan.jobs}
        self.status: Document = status_document(snapshot.status)
        rows = [self._row(row) for row in self.status.pop("jobs")]
        self.rows: tuple[Document, ...] = tuple(sorted(rows, key=_by_attention))
        """One for each job: the members of `status -o json`, and those that the page needs besides."""
        self.row_of: Mapping[str, Document] = {row["job"]: row for row in self.rows}
        self._changed, self._removed, self._oldest = self._compare(before)

    @property
    def head(self) -> Document:
        """The members that every document begins with."""
        return {"change": self.change, "asOf": rfc3339(self.snapshot.as_of)}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """The part of this name, which is made once."""
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return cast("T", self._made[name])

    def since(self, number: int) -> Changes:
        """The jobs that changed after the view of this number."""
        if not self._oldest <= number <= self.number:
            return Changes((), (), is_known=False)
        changed = tuple(row["job"] for row in self.rows if self._changed[row["job"]] > number)
        return Changes(changed, tuple(sorted(job for job, when in self._removed.items() if when > number)))

    def _row(self, row: Document) -> Document:
        plan = self.plans[row["job"]]
        timer = None
        if plan.timer is not None and plan.next_time is not None:
            timer = {"event": plan.timer.value, "time": rfc3339(plan.next_time)}
        is_stuck = (row["forecast"] or {}).get("stuck", False)
        needs_person = plan.phase in NO_GOOD_PHASES or plan.guard is not None or is_stuck
        return {**row, "labels": dict(plan.labels), "timer": timer, "attention": needs_person}

    def _compare(self, before: View | None) -> tuple[dict[str, int], dict[str, int], int]:
        """The number at which each job changed last, that at which each was removed, and the oldest that is known."""
        if before is None:
            return dict.fromkeys(self.row_of, self.number), {}, self.number
        changed = {
            name: before._changed[name] if before.row_of.get(name) == row else self.number  # noqa: SLF001
            for name, row in self.row_of.items()
        }
        removed = {name: when for name, when in before._removed.items() if name not in self.row_of}  # noqa: SLF001
        removed |= dict.fromkeys(before.row_of.keys() - self.row_of.keys(), self.number)
        oldest = before._oldest  # noqa: SLF001
        while len(removed) > MOST_REMOVED:
            # Insertion order is the order of removal.
            oldest = max(oldest, removed.pop(next(iter(removed))))
        return changed, removed, oldest


def _by_attention(row: Document) -> tuple[int, str]:
    """First the jobs that need a person, then those that have not ended, then the others; each by name.

    Of the jobs that need a person, those that failed come first, and then those that wait for them.
    """
    phase = Phase(row["phase"])
    if row["attention"]:
        return (0 if phase in FAILED_PHASES else 1 if phase is Phase.BLOCKED else 2), row["job"]
    return (4 if phase in ENDED_PHASES else 3), row["job"]
