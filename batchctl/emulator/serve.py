"""The emulator as a server: the socket, the signals of the process, the environment that points SDKs at it."""

from __future__ import annotations

import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from batchctl.emulator.asgi import HANG_UP, asgi_app
from batchctl.emulator.core import Emulator
from batchctl.emulator.environment import environment_lines
from batchctl.emulator.seed import load_seed
from batchctl.emulator.web_origins import OriginCheck

_STORE = "emulator.db"
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared, not bound
_BACKLOG = 512
_KEEP_ALIVE = 75
"""Seconds after which an idle connection is closed: longer than clients keep one, for example httpx and the SDKs 5. A
server that closes it at the same moment as a client uses it resets the call."""
_GRACE = 2
"""The seconds that open connections have to finish when the server stops."""


def serve(
    host: str,
    port: int,
    data_dir: Path | None,
    seed: Path | None,
    announce: Callable[[str], None],
    names: frozenset[str] = frozenset(),
) -> None:
    """Serve until SIGINT or SIGTERM. Port 0 means a free port; without `data_dir` no data is kept.

    `names` are allowed host names, besides the address and the names of this machine. `announce` gets the environment,
    line by line, once the server listens. Raises OSError (port in use, unreadable seed) and ValueError (invalid seed or
    store), both before anything is announced.
    """
    with ExitStack() as cleanup:
        folder = (data_dir or Path(cleanup.enter_context(tempfile.TemporaryDirectory()))).resolve()
        emulator = Emulator(folder / _STORE)
        cleanup.callback(emulator.close)
        if seed is not None:
            load_seed(emulator, seed)
        server = EmulatorServer(emulator, host, port, announce, names)
        cleanup.callback(server.close)
        cleanup.enter_context(_signals(server.stop))
        server.run()


class EmulatorServer:
    """A bound socket with the emulator behind it. `run` blocks until another thread calls `stop`."""

    def __init__(
        self,
        emulator: Emulator,
        host: str,
        port: int,
        announce: Callable[[str], None],
        names: frozenset[str] = frozenset(),
    ) -> None:
        self._stopping = threading.Event()
        self._socket = _listen(host, port)
        self._announce = announce
        bound = self._socket.getsockname()
        shown = _WILDCARDS.get(bound[0], bound[0])
        self.url = f"http://[{shown}]:{bound[1]}" if ":" in shown else f"http://{shown}:{bound[1]}"
        config = uvicorn.Config(
            asgi_app(emulator, self._wait, OriginCheck(host, names)),
            http=_HangingUp,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = _Server(config, self._listening, self._stopping)

    def run(self) -> None:
        """Serve."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Make `run` return soon; delays in progress end immediately."""
        self._stopping.set()
        self._server.should_exit = True

    def close(self) -> None:
        """Free the port."""
        self._socket.close()

    def _wait(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _listening(self) -> None:
        for line in environment_lines(self.url):
            self._announce(line)


class _Server(uvicorn.Server):
    """Reports when it listens, and when a signal ends it."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None], stopping: threading.Event) -> None:
        super().__init__(config)
        self._listening = listening
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()


class _HangingUp(H11Protocol):
    """Lets the application close the connection without a reply, for which ASGI has no message."""

    def handle_events(self) -> None:
        super().handle_events()
        if self.scope is not None:
            self.scope.setdefault("extensions", {})[HANG_UP] = {"close": self.transport.close}


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM end the server and not the process.

    The server handles both signals while it runs and raises them again when it has ended. These handlers catch that,
    and signals that arrive before the server runs.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError with a readable address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while attempting")[0]  # Python repeats the address
        raise OSError(error.errno, f"{host} port {port}: {reason}") from error
    # Connections inherit it. asyncio sets it only on sockets with an explicit protocol, unlike this one. Without it,
    # the body of a reply waits some 40 ms for the acknowledgement of its headers.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
