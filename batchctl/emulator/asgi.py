"""The emulator as an ASGI application; the calls run on threads.

This module checks where a call comes from, limits the size of its body, and cuts connections. `core` answers the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync
from msgspec.structs import replace
from starlette import requests
from starlette.concurrency import iterate_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from batchctl.emulator.control import CONTROL_PREFIX
from batchctl.emulator.core import Emulator
from batchctl.emulator.web_origins import OriginCheck, check_control_body
from batchctl.emulator.wire import Refused, Request, Response

T = TypeVar("T")

HANG_UP = "batchctl.hang_up"
"""The scope extension whose `close` closes the connection without a reply; only some servers offer it."""
_MOST_AT_WORK = 1000
"""The limit of concurrent calls. It is high because a delayed call occupies a thread until it continues."""
_DRAINED = 64 * 1024 * 1024
_DRAIN_SECONDS = 5.0
"""How much of a body that is too large is read and discarded, and for how long, so that its sender reads the error."""


def asgi_app(emulator: Emulator, wait: Callable[[float], None], origin_check: OriginCheck | None = None) -> ASGIApp:
    """The application. `wait` blocks for the seconds of a delay; without `origin_check` all callers are accepted."""
    at_work = _Limiter()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        asked = requests.Request(scope, receive)
        headers = dict(asked.headers)
        request = Request(
            method=asked.method,
            path=scope["path"],
            query=tuple(asked.query_params.multi_items()),
            headers=headers,
            scheme=scope["scheme"],
        )
        try:
            if origin_check is not None:
                _check(origin_check, request)
        except Refused as refused:
            await _refuse(refused.response(), receive, send, headers)
            return
        try:
            request = await _read(asked, request, await at_work.run(emulator.body_limit, request))
        except requests.ClientDisconnect:
            return
        response = await at_work.run(emulator.handle, request, wait)
        if response.cut:
            await _hang_up(scope, receive, send)
        elif request.too_large:
            await _refuse(response, receive, send, headers)
        else:
            await _send(response, send)

    return app


class _Limiter:
    """Runs calls on threads of their own; the threads that send streamed bodies are separate."""

    def __init__(self) -> None:
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(_MOST_AT_WORK)  # needs a running event loop
        return await run_sync(function, *arguments, limiter=self._limiter)


def _check(origin_check: OriginCheck, request: Request) -> None:
    """Raise Refused for a call from a web page of another origin or under an unknown host name."""
    origin_check.check(request.scheme, request.headers)
    if request.path.startswith(CONTROL_PREFIX):
        check_control_body(request.method, request.headers, is_yaml=request.path == f"{CONTROL_PREFIX}seed")


async def _read(asked: requests.Request, request: Request, limit: int) -> Request:
    """The request with its body, or marked as too large. Raises ClientDisconnect."""
    declared = request.header("content-length")
    if declared.isdecimal() and int(declared) > limit:
        return replace(request, too_large=True)
    body = bytearray()
    async for chunk in asked.stream():
        body += chunk
        if len(body) > limit:
            return replace(request, too_large=True)
    return replace(request, body=bytes(body))


async def _refuse(response: Response, receive: Receive, send: Send, headers: dict[str, str]) -> None:
    """Answer without the whole body, then close the connection."""
    assert isinstance(response.body, bytes)
    named = {**response.headers, "content-length": str(len(response.body)), "connection": "close"}
    await send({"type": "http.response.start", "status": response.status, "headers": _encoded(named)})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    # A client that sent `Expect` reads this answer. All others keep sending, and cannot read from a closed connection.
    if "expect" not in headers:
        with anyio.move_on_after(_DRAIN_SECONDS):
            taken = 0
            while taken < _DRAINED:
                message = await receive()
                taken += len(message.get("body", b""))
                if not message.get("more_body", False):
                    break
    await send({"type": "http.response.body", "body": b""})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _send(response: Response, send: Send) -> None:
    headers = _encoded(dict(response.headers))
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
    """Close the connection. A server that cannot do that sends a truncated reply."""
    extension = scope.get("extensions", {}).get(HANG_UP)
    if extension is None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
        return
    extension["close"]()
    await receive()  # until the disconnect: if the application returned earlier, the server would send a reply itself
