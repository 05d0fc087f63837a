"""An HTTP client for one call at a time, and the watch that ends a call which takes too long.

httpx limits each silence, not the whole call: a server that sends a byte now and then, even inside a header, could hold
a worker for days. So when a call's time is up, its sockets are shut down from outside.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from batchctl.model.addresses import is_loopback_host
from batchctl.model.errors import ConnectionFailed
from batchctl.model.exhaustion import exhausted

_NEW_STREAM = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})
"""httpx's trace events that bring a stream with a new socket."""


class Watch:
    """How long one call has been going on. Times are in seconds on the monotonic clock."""

    def __init__(self, total: float) -> None:
        self._end = time.monotonic() + total

    def over(self) -> bool:
        """Whether the call's time is up."""
        return time.monotonic() >= self._end


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
    def watched(self, total: float) -> Iterator[Watch]:
        """Run a call that is cut off after `total` seconds; on a shared line it has to look at the watch itself."""
        watch = Watch(total)
        if self._shared:
            yield watch
            return
        timer = threading.Timer(total, self._cut)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError as error:
            raise _no_watch(error) from error
        try:
            yield watch
        finally:
            timer.cancel()

    def _cut(self) -> None:
        for one in self._sockets:
            # The plain socket's own method: that of a TLS socket may not be called while another thread reads from it.
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)


def _no_watch(error: RuntimeError) -> Exception:
    """Without a thread to watch over it no call is made."""
    problem = exhausted(error)
    return error if problem is None else ConnectionFailed(problem.message, code=problem.code, hint=problem.hint)
