"""Where a job stands at a moment. Pure: times in, state out, so that no background work is ever needed.

Legal moves are those of reference 5: PENDING, RUNNING, on Vertex CANCELLING, then one terminal state for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """A batch job's state, without an API's prefix."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    QUEUED = "QUEUED"
    CANCELLING = "CANCELLING"
    PAUSED = "PAUSED"
    UPDATING = "UPDATING"
    PARTIALLY_SUCCEEDED = "PARTIALLY_SUCCEEDED"


VERTEX_ONLY = frozenset({
    State.QUEUED, State.CANCELLING, State.PAUSED, State.UPDATING, State.PARTIALLY_SUCCEEDED,
})  # fmt: skip


class Fate(StrEnum):
    """What a rule makes of a job."""

    STUCK = "stuck"
    FAIL = "fail"
    FAIL_EXPORT = "failExport"
    EXPIRE = "expire"
    CANCEL_SLOW = "cancelSlow"
    CANCEL_LOST = "cancelLost"
    PARTIAL = "partial"
    ROWS = "rows"


_ENDS = {Fate.FAIL: State.FAILED, Fate.FAIL_EXPORT: State.FAILED, Fate.EXPIRE: State.EXPIRED}
_FOR_EVER = 2**62


@dataclass(frozen=True)
class Limits:
    """The times that Vertex gives a job; nanoseconds. Source: reference 10."""

    wait: int
    """A job that still waits at this age becomes EXPIRED."""
    run: int
    """A job that has run for so long ends, whatever it has done."""
    overdue: State = State.FAILED
    """How it ends then."""


@dataclass(frozen=True)
class Timeline:
    """All that decides a job's state over time; nanoseconds."""

    created: int
    pending: int
    running: int
    expire_after: int
    """An unfinished job becomes EXPIRED at this age, unless it has `limits`."""
    fate: Fate | None = None
    cancelled: int | None = None
    """When a cancel takes effect; set only for a job that was unfinished when the cancel came."""
    limits: Limits | None = None
    asked: int | None = None
    """When a cancel was asked for; from then on the job is CANCELLING. Only where the API has that state."""
    stands: State | None = None
    """A state that the job never leaves on its own."""

    @property
    def deadline(self) -> int:
        """A job that is unfinished, or with limits one that still waits, becomes EXPIRED here."""
        return self.created + (self.expire_after if self.limits is None else self.limits.wait)

    @property
    def starts(self) -> int | None:
        """When the job begins to run; None when it never does."""
        if self.fate is Fate.STUCK or self.stands is State.QUEUED:
            return None
        starts = self.created + self.pending
        stopped = self.cancelled is not None and (self.asked if self.asked is not None else self.cancelled) < starts
        return None if stopped or (self.limits is not None and starts > self.deadline) else starts

    def end(self) -> tuple[int, State]:
        """When the job ends, and how."""
        if self.cancelled is not None:
            return self.cancelled, State.CANCELLED
        if self.stands is not None:
            return _FOR_EVER, self.stands
        finish = self.created + self.pending + self.running
        if self.fate is Fate.STUCK:
            return self.deadline, State.EXPIRED
        if self.limits is None:
            if finish > self.deadline:
                return self.deadline, State.EXPIRED
        elif self.created + self.pending > self.deadline:
            return self.deadline, State.EXPIRED
        elif self.running > self.limits.run:
            return self.created + self.pending + self.limits.run, self.limits.overdue
        elif self.fate is Fate.PARTIAL:
            return finish, State.PARTIALLY_SUCCEEDED
        return finish, State.SUCCEEDED if self.fate is None else _ENDS.get(self.fate, State.SUCCEEDED)


@dataclass(frozen=True)
class Progress:
    """A job's standing at one moment."""

    state: State
    started: int | None
    ended: int | None
    share: float
    """How much of the running time is over, 0 to 1."""

    @property
    def done(self) -> bool:
        """Whether the state is terminal."""
        return self.ended is not None


def progress(line: Timeline, now: int) -> Progress:
    """Where the job stands at `now`."""
    end, state = line.end()
    starts = line.starts
    started = starts if starts is not None and starts <= min(now, end) else None
    if now >= end:
        return Progress(state, started, end, share_done(line, end))
    if line.stands is not None:
        return Progress(line.stands, started, None, 0.0)
    if line.asked is not None and now >= line.asked:
        return Progress(State.CANCELLING, started, None, share_done(line, line.asked))
    if started is None:
        return Progress(State.PENDING, None, None, 0.0)
    return Progress(State.RUNNING, started, None, share_done(line, now))


def share_done(line: Timeline, moment: int) -> float:
    """The part of the rows that are answered at `moment`, as far as time alone tells."""
    if line.fate is Fate.STUCK or moment < line.created + line.pending:
        return 0.0
    over = moment - line.created - line.pending
    return 1.0 if over >= line.running else over / line.running
