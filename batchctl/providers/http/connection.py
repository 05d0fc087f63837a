"""An HTTP connection for one call at a time, and the watch that ends a call which takes too long.

httpx limits each pause, not the complete call: a server that sends a byte now and then, even inside a header, could
block a worker for days. So when a call's time is up, or a transfer is too slow, the watch shuts down the sockets from
another thread.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from batchctl.model.addresses import is_loopback_host
from batchctl.model.errors import ConnectionFailed
from batchctl.model.exhaustion import exhausted

_NEW_STREAM = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})
"""Events of httpx's trace that bring a stream with a new socket."""


_SHORTEST_CHECK = 0.02
"""Seconds between two checks of a call that is about to exceed its limit."""


@dataclass(frozen=True)
class Pace:
    """The minimum rate of a transfer: `size` bytes in each `seconds` spent waiting for them."""

    size: int = 64 * 1024
    seconds: float = 120.0


class Watch:
    """Measures one call's time and transfer rate. Times are in seconds on the monotonic clock."""

    def __init__(self, total: float, pace: Pace | None = None) -> None:
        self._end = time.monotonic() + total
        self._pace = pace
        self._waiting_since: float | None = time.monotonic()
        """None while the reader processes what arrived: that time is not the sender's."""
        self._waited = 0.0
        self._came = 0

    def over(self) -> bool:
        """Whether the call has to end: its time is up, or the transfer is too slow."""
        return time.monotonic() >= self._end or self.is_slow()

    def is_slow(self) -> bool:
        """Whether too few bytes arrived within the time of `pace`."""
        return self._pace is not None and self._came < self._pace.size and self._wait() >= self._pace.seconds

    def next_check(self) -> float:
        """Seconds until the call may have to end."""
        left = self._end - time.monotonic()
        if self._pace is not None:
            left = min(left, self._pace.seconds - self._wait())
        return max(left, _SHORTEST_CHECK)

    def came(self, size: int) -> None:
        """Record that bytes arrived; the reader is now processing them."""
        self._waited, self._waiting_since = self._wait(), None
        self._came += size
        if self._pace is not None and self._came >= self._pace.size:
            self._waited, self._came = 0.0, 0

    def wait_on(self) -> None:
        """Record that the reader waits for more bytes."""
        self._waiting_since = time.monotonic()

    def _wait(self) -> float:
        since = self._waiting_since
        return self._waited + (0.0 if since is None else time.monotonic() - since)


class Connection:
    """An httpx client and the sockets that it opened; no sockets when threads share the client."""

    def __init__(self, client: httpx.Client, *, shared: bool, is_local: bool = False) -> None:
        self.client = client
        self._shared = shared
        self._is_local = is_local
        """The target is this machine: refuse to connect to any other, whatever the name resolves to."""
        self._sockets: list[socket.socket] = []

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Receive httpx's trace events, and remember new sockets."""
        if event in _NEW_STREAM and not self._shared:
            self._require_local(info["return_value"])
            opened = info["return_value"].get_extra_info("socket")
            self._sockets = [*(one for one in self._sockets if one.fileno() >= 0), opened]

    def _require_local(self, stream: Any) -> None:  # noqa: ANN401  httpx's network stream
        """Raise ConnectError, before anything is sent, when a name of this machine resolved to another machine."""
        if not self._is_local or is_loopback_host(stream.get_extra_info("server_addr")[0]):
            return
        stream.close()
        raise httpx.ConnectError("the name of this machine resolves to another machine")

    @contextmanager
    def watched(self, total: float, pace: Pace | None = None) -> Iterator[Watch]:
        """Run a call and shut it down when its watch is over. On a shared client the call checks the watch itself."""
        watch = Watch(total, pace)
        if self._shared:
            yield watch
            return
        ended = threading.Event()
        guard = threading.Thread(target=self._guard, args=(watch, ended), name="watch over a call", daemon=True)
        try:
            guard.start()
        except RuntimeError as error:
            raise _no_watch(error) from error
        try:
            yield watch
        finally:
            ended.set()

    def _guard(self, watch: Watch, ended: threading.Event) -> None:
        while not ended.wait(min(watch.next_check(), threading.TIMEOUT_MAX)):
            if watch.over():
                self._cut()
                return

    def _cut(self) -> None:
        for one in self._sockets:
            # The plain socket's own method: a TLS socket's may not be called while another thread reads from it.
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)


def _no_watch(error: RuntimeError) -> Exception:
    """The error when no watch thread can be started: the call is not made."""
    problem = exhausted(error)
    return error if problem is None else ConnectionFailed(problem.message, code=problem.code, hint=problem.hint)
