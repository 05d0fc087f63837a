"""The server beside the work: a bound socket, and a thread that serves until it is stopped.

The thread touches no signal, no lock of the state and no progress except for warnings. If it fails, the work goes on.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError

_HINTS = {
    errno.EADDRINUSE: "another program, or another batchctl, listens there; --serve HOST:0 chooses a free port",
    errno.EACCES: "ports below 1024 are for the system; choose a higher one, such as 8420",
}
_BACKLOG = 128
_GRACE = 2
"""Seconds that open requests have to finish when the server stops."""
_IDLE = 60
"""Seconds that a connection stays open between two requests: a page asks again after each pass."""
_PATIENCE = 5.0
"""Seconds that the end of the thread is waited for; it does not keep the process from its end."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 chooses a free one. Raises BatchctlError (`AddressUnusable`)."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while attempting")[0]  # Python repeats the address
        hint = _HINTS.get(error.errno or 0, "--serve takes an address of this machine, such as 127.0.0.1:8420")
        message = f"the web page cannot be served at {shown_address(host, port)}: {reason}"
        raise BatchctlError(message, code=ErrorCode.ADDRESS_UNUSABLE, hint=hint) from error
    # Otherwise the body of an answer waits for the acknowledgement of its headers.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def shown_address(host: str, port: int) -> str:
    """`HOST:PORT` as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class ServerThread:
    """Serves an application on a thread, from `__enter__` to `__exit__`."""

    def __init__(self, app: ASGIApp, listening: socket.socket, ending: Callable[[], None]) -> None:
        """`ending` is called before the end, so that streams close by themselves."""
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = uvicorn.Server(config)
        self._socket = listening
        self._ending = ending
        # A daemon: a client that does not read must not keep the process.
        self._thread = threading.Thread(target=self._run, name="batchctl web page", daemon=True)
        # The application reports its errors itself; uvicorn's words would break the live table.
        logging.getLogger("uvicorn.error").disabled = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending()
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
