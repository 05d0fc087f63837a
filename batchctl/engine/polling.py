"""How long to wait before the next look: short while things change, long when nothing does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

POLL_MIN = 1.0
"""Seconds after a change."""
POLL_MAX = 60.0
"""Seconds when nothing has changed for long."""
_GROWTH = 1.5
_JITTER = 0.1


class Interval:
    """The adaptive poll interval, with jitter so that many watchers do not call at one moment."""

    def __init__(self, random: Callable[[], float], shortest: float = POLL_MIN, longest: float = POLL_MAX) -> None:
        self._random = random
        self._shortest = shortest
        self._longest = longest
        self._seconds = shortest

    def next(self, *, changed: bool, now: datetime, due: datetime | None) -> float:
        """Seconds to sleep. `due` is when a decision is due that needs no event; it only shortens the wait."""
        self._seconds = self._shortest if changed else min(self._seconds * _GROWTH, self._longest)
        seconds = self._seconds * (1 + _JITTER * (2 * self._random() - 1))
        if due is not None:
            seconds = min(seconds, max((due - now).total_seconds(), self._shortest))
        return seconds
