"""The pause before the next pass: short after a change and for young jobs, long when nothing happens.

All lengths are in seconds of a monotonic clock, so that a jump of the local time changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

_GROWTH = 1.5
_JITTER = 0.1
_AGE_SHARE = 10
"""The wait is at most a tenth of the age of the youngest job, as far as the bounds allow."""
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

    def next(self, *, changed: bool, due_in: float | None, youngest: float | None) -> float:
        """Seconds to sleep after a pass.

        `due_in` is when a decision is due that needs no event; it only shortens the wait, and what is overdue was seen
        and left alone by the pass. `youngest` is the age of the youngest job that works.
        """
        pace = self._pace
        self._failures = 0
        self._seconds = pace.shortest if changed else min(self._seconds * _GROWTH, pace.longest)
        self._seconds = min(self._seconds, longest_wait(pace, youngest))
        seconds = self._jittered(self._seconds)
        if due_in is not None:
            seconds = min(seconds, max(due_in, pace.shortest))
        return seconds

    def after_failure(self) -> float:
        """Seconds to sleep after a pass that could not be made: doubled each time, up to the longest wait."""
        pace = self._pace
        # Far below where powers of two leave the range of numbers.
        doublings = min(self._failures, 32)
        self._failures += 1
        return self._jittered(min(max(pace.shortest, _FIRST_BACKOFF) * _BACKOFF**doublings, pace.longest))

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + _JITTER * (2 * self._random() - 1))
