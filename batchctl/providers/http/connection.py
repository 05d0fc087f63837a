"""An HTTP connection for one call at a time, and the watch that ends a call which takes too long.

httpx limits each pause, not the complete call: a server that sends a byte now and then, even inside a header, could
block a worker for days. So when a call's time is up, or a transfer is too slow, `guard` shuts down the sockets.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TypeAlias

import httpx

from batchctl.model.addresses import is_loopback_host
from batchctl.providers.http.guard import GUARD
from batchctl.providers.http.watch import Pace, Watch

Line: TypeAlias = httpx.Client | httpx.BaseTransport
"""A client finds the proxy of each address, a transport goes one way."""
_NEW_STREAM = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})
"""Events of httpx's trace that bring a stream with a new socket."""


class Connection:
    """A line to a service and the sockets that it opened; no sockets when threads share the line."""

    def __init__(self, line: Line, *, shared: bool, is_local: bool = False) -> None:
        self._line = line
        self._shared = shared
        self._is_local = is_local
        """The target is this machine: refuse to connect to any other, whatever the name resolves to."""
        self._sockets: list[socket.socket] = []
        self.is_closed = False

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send the request once, without following a redirect; the body is not read yet. Raises httpx's errors.

        Raises RuntimeError if the connection is closed.
        """
        if isinstance(self._line, httpx.Client):
            return self._line.send(request, stream=True, follow_redirects=False)
        if self.is_closed:
            raise RuntimeError("the connection is closed")
        # A client would read cookies, and looks for redirects, credentials and mounts: a third of the time of a call.
        return self._line.handle_request(request)

    def close(self) -> None:
        """Close the line, also during a call of another thread."""
        self.is_closed = True
        self._line.close()

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

    def watched(self, total: float, pace: Pace | None = None) -> AbstractContextManager[Watch]:
        """Run a call and shut it down when its watch is over. On a shared client the call checks the watch itself."""
        watch = Watch(total, pace)
        return nullcontext(watch) if self._shared else GUARD.watching(watch, self._cut)

    def _cut(self) -> None:
        for one in self._sockets:
            # The plain socket's own method: a TLS socket's may not be called while another thread reads from it.
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)
