"""The latest snapshot, handed from the thread that makes passes to the threads that serve them.

Nothing is queued: a new snapshot takes the place of the one before, and readers find the newest.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from batchctl.server.snapshot import Snapshot
from batchctl.server.view import View


class Feed:
    """Thread-safe."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        """Identifies this process in numbers of changes: another process counts again from one."""
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._make: Callable[[], Snapshot] | None = None
        self._number = 0
        self._view: View | None = None
        self._listeners: list[Callable[[], None]] = []
        self._is_over = False

    @property
    def number(self) -> int:
        """The number of snapshots so far."""
        return self._number

    @property
    def is_over(self) -> bool:
        """Whether no further snapshot follows."""
        return self._is_over

    def publish(self, make: Callable[[], Snapshot]) -> None:
        """Show this snapshot from now on. It is made when somebody reads it, on the reader's thread."""
        with self._lock:
            self._make = make
            self._number += 1
        self._wake()

    def end(self) -> None:
        """Nothing follows: clients are sent away."""
        self._is_over = True
        self._wake()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this on each news, on the thread that brings it; it has to be quick."""
        self._listeners.append(listener)

    def view(self) -> View | None:
        """The newest snapshot; None if there is none yet. The first call after a change may take a while."""
        with self._building:
            with self._lock:
                make, number = self._make, self._number
            if make is None:
                return None
            if self._view is None or self._view.number != number:
                self._view = View(make(), self.epoch, number, self._view)
            return self._view

    def _wake(self) -> None:
        for listener in self._listeners:
            listener()
