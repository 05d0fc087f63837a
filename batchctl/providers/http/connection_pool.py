"""A pool of connections to one endpoint. Each call takes one and returns it; they outlive threads and passes.

There are never more connections than concurrent calls. Idle ones are closed after a while, even without a further
call; all idle ones of all endpoints when the machine has no file handles left; and inherited ones in a forked child.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakSet

from batchctl.providers.http.connection import Connection

IDLE_SECONDS = 4.0
"""Below the 5 s after which common servers disconnect: a call on a connection that was just cut may have succeeded."""


class PoolClosedError(Exception):
    """The endpoint was closed."""


class ConnectionPool:
    """Connections of one endpoint. Thread-safe."""

    def __init__(self, open_connection: Callable[[], Connection], now: Callable[[], float] = time.monotonic) -> None:
        self._open_connection = open_connection
        self._now = now
        self._lock = threading.Lock()
        self._free: list[tuple[float, Connection]] = []
        """With the time at which each became idle, the most recently used last."""
        self._busy: set[Connection] = set()
        self._process = os.getpid()
        self._is_closed = False
        _POOLS.add(self)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def close(self) -> None:
        """Close all connections, including those in use. None can be taken afterwards."""
        with self._lock:
            self._is_closed = True
            connections = [*(connection for _, connection in self._free), *self._busy]
            self._free, self._busy = [], set()
        _close(connections)

    def close_idle(self, seconds: float = 0.0) -> None:
        """Close the connections that have been idle for at least so many seconds."""
        with self._lock:
            until = self._now() - seconds
            old = [connection for since, connection in self._free if since <= until]
            self._free = [(since, connection) for since, connection in self._free if since > until]
        _close(old)

    @property
    def has_idle(self) -> bool:
        return bool(self._free)

    def take(self) -> Connection:
        """A connection for one call, to be given back. Raises PoolClosedError, and whatever opening one raises."""
        self._drop_inherited()
        self.close_idle(IDLE_SECONDS)
        with self._lock:
            # Take the most recently used: surplus ones age and are closed.
            connection = self._free.pop()[1] if self._free else None
            if connection is not None:
                self._busy.add(connection)
        if connection is None:
            connection = self._open_connection()
            with self._lock:
                self._busy.add(connection)
        if self._is_closed:
            # `close` may have run between the check and this registration.
            _close([connection])
            raise PoolClosedError
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next call, unless it was closed meanwhile."""
        with self._lock:
            is_kept = connection in self._busy
            self._busy.discard(connection)
            if is_kept:
                self._free.append((self._now(), connection))
        if is_kept:
            _SWEEPER.wake()
        else:
            _close([connection])

    def _drop_inherited(self) -> None:
        """In a forked child the sockets belong to the parent: two processes must not use one connection."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._lock = threading.Lock()
            self._busy = set()
            self.close_idle()


_POOLS: WeakSet[ConnectionPool] = WeakSet()


def _pools() -> list[ConnectionPool]:
    """The pools that are in use. Another thread may add one meanwhile; a lock could be held in a forked child."""
    while True:
        with suppress(RuntimeError):
            return list(_POOLS)


def close_all_idle() -> None:
    """Close the idle connections of all endpoints, to free file handles."""
    for pool in _pools():
        pool.close_idle()


class _Sweeper:
    """The thread that closes idle connections between calls: `watch` may sleep long. It ends with the last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Start the thread if it does not run. If that fails, the next call closes old connections."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="idle connections", daemon=True)
                with suppress(RuntimeError):
                    thread.start()
                    self._thread = thread

    def _run(self) -> None:
        while True:
            time.sleep(IDLE_SECONDS / 2)
            for pool in _pools():
                pool.close_idle(IDLE_SECONDS)
            with self._lock:
                if not any(pool.has_idle for pool in _pools()):
                    self._thread = None
                    return


_SWEEPER = _Sweeper()


def _close(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()
