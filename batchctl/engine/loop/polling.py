"""The pause before the next pass: short after a change and for young jobs, long when nothing happens.

All lengths are in seconds of a monotonic clock, so that a jump of the local time changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:  # commands that only look load this module for its bounds
    from batchctl.engine.passes import PassReport
    from batchctl.model.plan import JobPlan

_GROWTH = 1.5
_JITTER = 0.1
_AGE_SHARE = 10
"""The wait is at most a tenth of the age of the youngest job, as far as the bounds allow."""
_AFTER_END = 0.02
"""Seconds after an expected end, so that a look finds it over. A pass reads the state and the manifests before it."""
_BACKOFF = 2.0
_FIRST_BACKOFF = 1.0


class Pace(Struct, frozen=True):
    """The bounds of the wait between two checks, in seconds."""

    shortest: float = 1.0
    """After a change."""
    longest: float = 60.0
    """When nothing has changed for long."""


def longest_wait(pace: Pace, youngest: float | None) -> float:
    """The longest pause in seconds between two passes, by the age of the youngest active job (None: there is none)."""
    return pace.longest if youngest is None else min(max(youngest / _AGE_SHARE, pace.shortest), pace.longest)


class Interval:
    """The adaptive poll interval, with jitter so that many watchers do not call at one moment."""

    def __init__(self, random: Callable[[], float], pace: Pace) -> None:
        self._random = random
        self._pace = pace
        self._seconds = pace.shortest
        self._failures = 0

    def next(
        self,
        *,
        changed: bool,
        due_in: float | None,
        youngest: float | None,
        ends_in: float | None = None,
        spent: float = 0.0,
    ) -> float:
        """Seconds to sleep after a pass.

        `due_in` is when a decision is due that needs no event; it only shortens the wait, and what is overdue was seen
        and left alone by the pass. `youngest` is the age of the youngest job that works. `ends_in` is when the last one
        is expected to have ended, if that is near: the pause ends right after it.
        `spent` is what has passed of the pause already, because the pass has only looked.
        """
        pace = self._pace
        self._failures = 0
        self._seconds = pace.shortest if changed else min(self._seconds * _GROWTH, pace.longest)
        self._seconds = min(self._seconds, longest_wait(pace, youngest))
        least, seconds = max(pace.shortest - spent, 0.0), max(self._jittered(self._seconds) - spent, 0.0)
        if due_in is not None:
            seconds = min(seconds, max(due_in, least))
        if ends_in is not None:
            seconds = max(ends_in + _AFTER_END, least)
        return seconds

    def after(
        self, done: PassReport, pending: Iterable[JobPlan], since: float, elapsed: float, *, changed: bool
    ) -> float:
        """Seconds to sleep after a turn that rests `since` then; `done` is the last whole pass, `elapsed` the time."""
        if done.is_cut_short and done.held is None:
            return 0.0
        return self.next(
            changed=changed,
            due_in=done.timing.due_in(pending, elapsed),
            youngest=done.timing.youngest(elapsed),
            ends_in=None if done.held is None else done.held - elapsed,
            spent=elapsed - since,
        )

    def after_failure(self) -> float:
        """Seconds to sleep after a pass that could not be made: doubled each time, up to the longest wait."""
        pace = self._pace
        # Far below where powers of two leave the range of numbers.
        doublings = min(self._failures, 32)
        self._failures += 1
        return self._jittered(min(max(pace.shortest, _FIRST_BACKOFF) * _BACKOFF**doublings, pace.longest))

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + _JITTER * (2 * self._random() - 1))
