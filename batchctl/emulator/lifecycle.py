"""The state of a job at a given time. Pure: times in, state out, so no background work is needed.

The transitions are those of reference 5: PENDING, RUNNING, on Vertex CANCELLING, then one terminal state.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """A batch job's state, without the prefix of an API."""

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
    """The outcome of a job that a rule chooses."""

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


class Limits(Struct, frozen=True):
    """The limits of Vertex on a job's time, in nanoseconds. Source: reference 10."""

    wait: int
    """A job that still waits at this age becomes EXPIRED."""
    run: int
    """A job that has run for this long ends, even if it is incomplete."""
    overdue: State = State.FAILED
    """The state of a job that ends at this limit."""


class Timeline(Struct, frozen=True):
    """The values that determine a job's state over time, in nanoseconds."""

    created: int
    pending: int
    running: int
    expire_after: int
    """An unfinished job becomes EXPIRED at this age, unless it has `limits`."""
    fate: Fate | None = None
    cancelled: int | None = None
    """When a cancel takes effect; set only if the job was unfinished at the time of the cancel request."""
    limits: Limits | None = None
    asked: int | None = None
    """The time of the cancel request; from then on the job is CANCELLING. Only for APIs that have this state."""
    fixed_state: State | None = None
    """A fixed state, which the job leaves only by a call."""

    @property
    def deadline(self) -> int:
        """When the job becomes EXPIRED: if it is unfinished or, with limits, if it still waits."""
        return self.created + (self.expire_after if self.limits is None else self.limits.wait)

    @property
    def starts(self) -> int | None:
        """When the job starts to run; None if it never does."""
        if self.fate is Fate.STUCK or self.fixed_state is State.QUEUED:
            return None
        starts = self.created + self.pending
        stopped = self.cancelled is not None and (self.asked if self.asked is not None else self.cancelled) < starts
        return None if stopped or (self.limits is not None and starts > self.deadline) else starts

    def end(self) -> tuple[int, State]:
        """When the job ends, and its final state."""
        if self.cancelled is not None:
            return self.cancelled, State.CANCELLED
        if self.fixed_state is not None:
            return _FOR_EVER, self.fixed_state
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


class Progress(Struct, frozen=True):
    """A job's state and progress at one moment."""

    state: State
    started: int | None
    ended: int | None
    share: float
    """The elapsed share of the running time, 0 to 1."""

    @property
    def done(self) -> bool:
        """Whether the state is terminal."""
        return self.ended is not None


def progress(timeline: Timeline, now: int) -> Progress:
    """The state and progress of the job at `now`."""
    end, state = timeline.end()
    starts = timeline.starts
    started = starts if starts is not None and starts <= min(now, end) else None
    if now >= end:
        return Progress(state, started, end, share_done(timeline, end))
    if timeline.fixed_state is not None:
        return Progress(timeline.fixed_state, started, None, 0.0)
    if timeline.asked is not None and now >= timeline.asked:
        return Progress(State.CANCELLING, started, None, share_done(timeline, timeline.asked))
    if started is None:
        return Progress(State.PENDING, None, None, 0.0)
    return Progress(State.RUNNING, started, None, share_done(timeline, now))


def share_done(timeline: Timeline, moment: int) -> float:
    """The share of rows that is processed at `moment`, by the time alone."""
    if timeline.fate is Fate.STUCK or moment < timeline.created + timeline.pending:
        return 0.0
    over = moment - timeline.created - timeline.pending
    return 1.0 if over >= timeline.running else over / timeline.running
