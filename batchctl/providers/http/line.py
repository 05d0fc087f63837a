"""An HTTP client for one call at a time, and the watch that ends a call which takes too long.

httpx limits each silence, not the whole call: a server that sends a byte now and then, even inside a header, could hold
a worker for days. So when a call's time is up, or a transfer brings next to nothing, its sockets are shut down from
outside.
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
"""httpx's trace events that bring a stream with a new socket."""


_SHORTEST_LOOK = 0.02
"""Seconds between two looks at a call that is about to end."""


@dataclass(frozen=True)
class Pace:
    """The least that a transfer has to bring: `size` bytes in each `seconds` that are spent waiting for them."""

    size: int = 64 * 1024
    seconds: float = 120.0


class Watch:
    """How long one call has been going on, and whether it gets on. Times are in seconds on the monotonic clock."""

    def __init__(self, total: float, pace: Pace | None = None) -> None:
        self._end = time.monotonic() + total
        self._pace = pace
        self._waiting_since: float | None = time.monotonic()
        """None while whoever reads is busy with what came: that is not the sender's time."""
        self._waited = 0.0
        self._came = 0

    def over(self) -> bool:
        """Whether the call has to end: its time is up, or it brings too little."""
        return time.monotonic() >= self._end or self.is_slow()

    def is_slow(self) -> bool:
        """Whether too little came for as long as the pace allows."""
        return self._pace is not None and self._came < self._pace.size and self._wait() >= self._pace.seconds

    def next_look(self) -> float:
        """Seconds until the call may have to end."""
        left = self._end - time.monotonic()
        if self._pace is not None:
            left = min(left, self._pace.seconds - self._wait())
        return max(left, _SHORTEST_LOOK)

    def came(self, size: int) -> None:
        """So many bytes have come, and are being worked on."""
        self._waited, self._waiting_since = self._wait(), None
        self._came += size
        if self._pace is not None and self._came >= self._pace.size:
            self._waited, self._came = 0.0, 0

    def wait_on(self) -> None:
        """More is waited for."""
        self._waiting_since = time.monotonic()

    def _wait(self) -> float:
        since = self._waiting_since
        return self._waited + (0.0 if since is None else time.monotonic() - since)


class Line:
    """A client and the sockets that it opened; without sockets of its own when threads share it."""

    def __init__(self, client: httpx.Client, *, shared: bool, is_local: bool = False) -> None:
        self.client = client
        self._shared = shared
        self._is_local = is_local
        """What it is for is on this very machine, so whatever a name service says, it connects to nothing else."""
        self._sockets: list[socket.socket] = []

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear from httpx what it does; new sockets are remembered."""
        if event in _NEW_STREAM and not self._shared:
            self._require_local(info["return_value"])
            opened = info["return_value"].get_extra_info("socket")
            self._sockets = [*(one for one in self._sockets if one.fileno() >= 0), opened]

    def _require_local(self, stream: Any) -> None:  # noqa: ANN401  httpx's network stream
        """Raise ConnectError, before anything is sent, when a name of this machine led to another one."""
        if not self._is_local or is_loopback_host(stream.get_extra_info("server_addr")[0]):
            return
        stream.close()
        raise httpx.ConnectError("the name of this machine leads to another one")

    @contextmanager
    def watched(self, total: float, pace: Pace | None = None) -> Iterator[Watch]:
        """Run a call that is cut off when its watch is over; on a shared line it has to look at the watch itself."""
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
        while not ended.wait(min(watch.next_look(), threading.TIMEOUT_MAX)):
            if watch.over():
                self._cut()
                return

    def _cut(self) -> None:
        for one in self._sockets:
            # The plain socket's own method: that of a TLS socket may not be called while another thread reads from it.
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)


def _no_watch(error: RuntimeError) -> Exception:
    """Without a thread to watch over it no call is made."""
    problem = exhausted(error)
    return error if problem is None else ConnectionFailed(problem.message, code=problem.code, hint=problem.hint)
