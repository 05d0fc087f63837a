"""The emulator as an ASGI application: bytes in, bytes out, the work on threads.

Owns how a cut connection is made. What is answered is `core`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette import requests
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from batchctl.emulator.core import Emulator
from batchctl.emulator.wire import Request, Response

HANG_UP = "batchctl.hang_up"
"""The scope extension whose `close` closes the connection without a reply; offered by servers that can do it."""


def asgi_app(emulator: Emulator, wait: Callable[[float], None]) -> ASGIApp:
    """The application. `wait` blocks for so many seconds where a fault delays."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        asked = requests.Request(scope, receive)
        try:
            body = await asked.body()
        except requests.ClientDisconnect:
            return
        request = Request(
            method=asked.method,
            path=scope["path"],
            query=tuple(asked.query_params.multi_items()),
            headers=dict(asked.headers),
            body=body,
            scheme=scope["scheme"],
        )
        response = await run_in_threadpool(emulator.handle, request, wait)
        if response.cut:
            await _hang_up(scope, receive, send)
        else:
            await _send(response, send)

    return app


async def _send(response: Response, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if isinstance(response.body, bytes):
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    async for piece in iterate_in_threadpool(response.body):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection. A server that cannot do that sends a reply that is cut short."""
    extension = scope.get("extensions", {}).get(HANG_UP)
    if extension is None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
        return
    extension["close"]()
    await receive()  # the disconnect: an application that returned before it would get a reply made for it
