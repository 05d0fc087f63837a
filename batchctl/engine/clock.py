"""The real clock, which a stop request wakes up."""

from __future__ import annotations

import threading
from datetime import UTC, datetime


class SystemClock:
    """Local time in UTC; sleeping ends early once `stop` was called."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        self._stopped.wait(max(0.0, seconds))

    def stop(self) -> None:
        """Ask for an orderly end. Safe to call from a signal handler."""
        self._stopped.set()

    def is_stopped(self) -> bool:
        return self._stopped.is_set()
