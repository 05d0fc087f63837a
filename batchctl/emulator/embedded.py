"""The emulator inside the caller's process: an httpx transport that opens no socket.

Defines how faults appear to an httpx client: a cut is a protocol error, a delay may become a read timeout.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx

from batchctl.emulator.core import Emulator
from batchctl.emulator.wire import Request


class EmbeddedTransport(httpx.BaseTransport):
    """Answers requests from an emulator; closing it closes the emulator.

    A delay before the effect that exceeds the read timeout ends the call without the effect, as if the server had
    noticed the disconnect. After a delay that follows the effect, the effect remains.
    """

    def __init__(self, emulator: Emulator, sleep: Callable[[float], None] = time.sleep) -> None:
        self._emulator = emulator
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request. Raises RemoteProtocolError or ReadTimeout if a fault demands it."""
        patience = request.extensions.get("timeout", {}).get("read")

        def wait(seconds: float) -> None:
            if patience is not None and seconds > patience:
                self._sleep(patience)
                raise httpx.ReadTimeout("The read operation timed out", request=request)
            self._sleep(seconds)

        response = self._emulator.handle(_request(request), wait)
        if response.cut:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if isinstance(response.body, bytes):
            return httpx.Response(response.status, headers=dict(response.headers), content=response.body)
        return httpx.Response(response.status, headers=dict(response.headers), stream=_Pieces(response.body))

    def close(self) -> None:
        """Close the emulator's file."""
        self._emulator.close()


class _Pieces(httpx.SyncByteStream):
    """A body that is generated while it is read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def open_embedded(db: Path) -> httpx.BaseTransport:
    """A transport over the emulator in this file, which is created if it does not exist. Raises StoreUnusable."""
    return EmbeddedTransport(Emulator(db))


def _request(request: httpx.Request) -> Request:
    return Request(
        method=request.method,
        path=request.url.path,
        query=tuple(request.url.params.multi_items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.read(),
        scheme=request.url.scheme,
    )
