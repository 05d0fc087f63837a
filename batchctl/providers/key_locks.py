"""One lock per key: threads that need the same resource wait, and the second finds what the first has created."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class KeyLocks:
    """One holder at a time for each key; holders of other keys do not wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the lock of the key."""
        with self._lock:
            turn, count = self._waiting.get(key, (threading.Lock(), 0))
            self._waiting[key] = (turn, count + 1)
        try:
            with turn:
                yield
        finally:
            with self._lock:
                count = self._waiting[key][1] - 1
                if count:
                    self._waiting[key] = (turn, count)
                else:
                    del self._waiting[key]
