"""A server of raw bytes on this machine, for what only real sockets can show."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self


class Loopback:
    """Answers each request by calling `play(connection, stop)`; closes the connection when that returns False."""

    def __init__(self, play: Callable[[socket.socket, threading.Event], bool]) -> None:
        self._play = play
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.connections: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in self.connections:
            connection.close()

    def _run(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while request := _read_request(connection):
                self.requests.append(request)
                if not self._play(connection, self._stop):
                    connection.shutdown(socket.SHUT_RDWR)
                    return


@contextmanager
def nobody() -> Iterator[int]:
    """A port that refuses connections. It is taken, so that no other program begins to listen there meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    return data


def drip(head: bytes, drop: bytes) -> Callable[[socket.socket, threading.Event], bool]:
    """Sends the head, then one more drop every hundredth of a second, for ever."""

    def play(connection: socket.socket, stop: threading.Event) -> bool:
        connection.sendall(head)
        while not stop.wait(0.01):
            connection.sendall(drop)
        return False

    return play


def answer(data: bytes, *, keep: bool = True) -> Callable[[socket.socket, threading.Event], bool]:
    """Sends the same bytes for every request."""

    def play(connection: socket.socket, _: threading.Event) -> bool:
        connection.sendall(data)
        return keep

    return play
