"""The clock of a rehearsal: time passes only while somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_SECOND = 1_000_000_000
_LONGEST = 6 * 3600.0
"""The longest pause between two looks, in seconds, when nothing is known to happen."""
_LEAST = 60.0
"""The shortest such pause, as with a watcher at work that has gone on for long."""
_LEAST_SHARE = 0.1
"""The longer a run has lasted, the longer its pauses: one pass sees many events, and a run takes seconds."""


class MovedClock:
    """Implements `Stoppable`. Between two passes it goes on to the next moment at which anything happens."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0
        self._next: Callable[[], float | None] | None = None

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=self._elapsed // 1000)

    def nanoseconds(self) -> int:
        """The time in nanoseconds since 1970."""
        whole = int((self._start - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
        return whole * 1000 + self._elapsed

    def elapsed(self) -> float:
        return self._elapsed / _SECOND

    def sleep(self, seconds: float) -> None:
        """Move on; between two passes, to the next event if it is later."""
        following, self._next = self._next, None
        if following is not None:
            event = following()
            wanted = _LONGEST if event is None else min(event, _LONGEST)
            seconds = max(seconds, wanted, _LEAST, _LEAST_SHARE * self.elapsed())
        self._elapsed += round(max(0.0, seconds) * _SECOND)

    def skip_next(self, following: Callable[[], float | None]) -> None:
        """Let the next sleep be one between two passes. `following` gives the seconds until something happens."""
        self._next = following

    def is_stopped(self) -> bool:
        return False
