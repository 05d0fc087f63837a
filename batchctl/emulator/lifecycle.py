"""Where a job stands at a moment. Pure: times in, state out, so that no background work is ever needed.

Legal moves are those of reference 5: PENDING, RUNNING, then one terminal state for good.
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


class Fate(StrEnum):
    """What a rule makes of a job."""

    STUCK = "stuck"
    FAIL = "fail"
    EXPIRE = "expire"
    CANCEL_SLOW = "cancelSlow"
    ROWS = "rows"


_ENDS = {Fate.FAIL: State.FAILED, Fate.EXPIRE: State.EXPIRED}


@dataclass(frozen=True)
class Timeline:
    """All that decides a job's state over time; nanoseconds."""

    created: int
    pending: int
    running: int
    expire_after: int
    fate: Fate | None = None
    cancelled: int | None = None
    """When a cancel takes effect; set only for a job that was unfinished when the cancel came."""

    @property
    def deadline(self) -> int:
        """An unfinished job becomes EXPIRED here."""
        return self.created + self.expire_after

    def end(self) -> tuple[int, State]:
        """When the job ends, and how."""
        if self.cancelled is not None:
            return self.cancelled, State.CANCELLED
        finish = self.created + self.pending + self.running
        if self.fate is Fate.STUCK or finish > self.deadline:
            return self.deadline, State.EXPIRED
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
    starts = line.created + line.pending
    started = starts if line.fate is not Fate.STUCK and starts <= min(now, end) else None
    if now >= end:
        return Progress(state, started, end, share_done(line, end))
    if started is None:
        return Progress(State.PENDING, None, None, 0.0)
    return Progress(State.RUNNING, started, None, share_done(line, now))


def share_done(line: Timeline, moment: int) -> float:
    """The part of the rows that are answered at `moment`."""
    if line.fate is Fate.STUCK or moment < line.created + line.pending:
        return 0.0
    over = moment - line.created - line.pending
    return 1.0 if over >= line.running else over / line.running
