"""The real clock, which a stop request wakes up."""

from __future__ import annotations

import os
import select
import time
from datetime import UTC, datetime


class SystemClock:
    """Local time in UTC; sleeping ends early once `stop` was called.

    `stop` runs inside signal handlers, between any two instructions of the main thread: it takes no lock, because the
    interrupted thread might hold it. A pipe that stays readable wakes every sleeper.
    """

    def __init__(self) -> None:
        self._is_stopped = False
        self._reader, self._writer = os.pipe()

    def __del__(self) -> None:
        os.close(self._reader)
        os.close(self._writer)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        select.select([self._reader], [], [], max(0.0, seconds))

    def stop(self) -> None:
        """Ask for an orderly end. Safe to call from a signal handler."""
        self._is_stopped = True
        os.write(self._writer, b"!")

    def is_stopped(self) -> bool:
        return self._is_stopped
