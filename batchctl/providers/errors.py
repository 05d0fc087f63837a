"""From what went wrong on the wire to the one exception tree, with code, reason and hint.

Two doors: `transport_failure` for a call that brought no whole answer, `status_failure` for an answer with an HTTP
error. Texts are capped, made one line and freed of secrets here. Source: reference chapter 9; design section 6.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import (
    ApiError,
    ApiStatus,
    BadReply,
    BadRequest,
    Conflict,
    ConnectionFailed,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    ReplyLost,
    ServerFailed,
    Unauthenticated,
)
from batchctl.providers.rpc_status import RpcStatus, read_status
from batchctl.providers.texts import capped, plain
from batchctl.providers.times import parse_http_date, parse_seconds

NOTHING_SENT: tuple[type[Exception], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""These come before the first byte of a request."""

MAYBE_SENT: tuple[type[Exception], ...] = (
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.LocalProtocolError,
    httpx.RemoteProtocolError,
)

UNREADABLE: tuple[type[Exception], ...] = (httpx.DecodingError, httpx.TooManyRedirects)

WIRE_ERRORS: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL)
"""Everything that httpx raises when a call fails; its StreamError means that we misuse it."""

_BY_HTTP: Mapping[int, type[ApiStatus]] = {
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    408: Conflict,
    409: Conflict,
    429: QuotaExceeded,
}
_REDIRECTS = range(300, 400)
_SERVER_ERRORS = range(500, 600)
_CLEAR_WITHOUT_WORDS = frozenset({401, 413, 429})
"""Refusals that anything on the way may give and that mean the same from all: they need no google.rpc.Status.

Other 4xx without one prove nothing: a proxy's 404 page must not pass for a deleted job.
"""

_HINTS: Mapping[int, str] = {
    401: "the API wants other credentials: check GOOGLE_API_KEY or GEMINI_API_KEY",
    403: "the key may not do this: check the key's restrictions, that the API is enabled in its project, "
    "and that what is named belongs to the same project",
    404: "check the name; for a create, that the model exists and can run in batch",
    413: "send the rows as a file (src: {file: …})",
    429: "the quota is used up: wait, finish or cancel other jobs, or ask for more",
}
_KEY_HINT = "the API does not know this key: check GOOGLE_API_KEY (it wins) or GEMINI_API_KEY"
_LOCATION_HINT = (
    "the API is not offered for this place or plan: enable billing, or use Vertex AI in a region that has it"
)
_UNKNOWN_FIELD_HINT = "the API does not know a field of the request: correct its name, or upgrade batchctl"


def transport_failure(exc: Exception, *, what: str, redact: Callable[[str], str]) -> ApiError:
    """The error for a call that brought no whole answer. `what` names the call, such as `batches.list`."""
    said = capped(redact(plain(str(exc)))) or "no details"
    message = f"{what}: {said} ({type(exc).__name__})"
    if isinstance(exc, NOTHING_SENT):
        return ConnectionFailed(message, hint=_connection_hint(exc))
    if isinstance(exc, UNREADABLE):
        return BadReply(message, hint="something between here and the API changes its answers")
    return ReplyLost(message, hint="the connection broke before the whole answer came; run the command again")


def _connection_hint(exc: Exception) -> str:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "the certificate was not accepted: behind an inspecting proxy, let SSL_CERT_FILE name its root"
        if isinstance(cause, socket.gaierror):
            return "the host name was not found: check the endpoint and the network"
        cause = cause.__cause__ or cause.__context__
    return "nothing was sent: check the endpoint, the network and HTTPS_PROXY"


def status_failure(
    http: int, headers: httpx.Headers, body: bytes, *, what: str, now: datetime, redact: Callable[[str], str]
) -> ApiError:
    """The error for an answer that is not a success. `now` is the server's time, for a `Retry-After` date."""
    if http in _REDIRECTS:
        return BadReply(
            f"{what}: HTTP {http}, a redirect, which is not followed",
            hint="check the endpoint: credentials go to it and to nothing that it points at",
            details={"http": http},
        )
    status = read_status(body)
    if status is None and http not in _SERVER_ERRORS and http not in _CLEAR_WITHOUT_WORDS:
        return BadReply(
            f"{what}: HTTP {http} without the API's own error in it",
            hint="something between here and the API answers in its place: check the endpoint and the proxy",
            details={"http": http},
        )
    return _api_status(http, status or RpcStatus(), _retry_after(headers, status, now), what=what, redact=redact)


def _api_status(
    http: int, status: RpcStatus, retry_after: float | None, *, what: str, redact: Callable[[str], str]
) -> ApiStatus:
    kind, code, hint = _classify(http, status)
    if retry_after is not None:
        hint = f"{hint + '; ' if hint else ''}the API asks to wait {retry_after:g} seconds"
    facts = {"http": http, "status": status.status, "reason": status.reason, "retryAfter": retry_after}
    details: dict[str, Any] = {name: value for name, value in facts.items() if value not in ("", None)}
    said = capped(redact(plain(status.message))) or "no details"
    return kind(
        f"{what}: HTTP {http}: {said}",
        http=http,
        status=status.status,
        code=code,
        hint=hint,
        details=details,
        retry_after=retry_after,
    )


def _classify(http: int, status: RpcStatus) -> tuple[type[ApiStatus], str | None, str]:
    if status.reason == "API_KEY_INVALID":
        # It comes as a 400, but says nothing about the request: with the right key it may be fine.
        return Unauthenticated, ErrorCode.INVALID_KEY, _KEY_HINT
    if http in _SERVER_ERRORS:
        return ServerFailed, None, "the fault is at the API's end; run the command again later"
    kind = _BY_HTTP.get(http, BadRequest)
    if kind is BadRequest and status.status == "FAILED_PRECONDITION" and "location" in status.message.lower():
        return kind, "UnsupportedLocation", _LOCATION_HINT
    if kind is BadRequest and "Unknown name" in status.message:
        return kind, "UnknownField", _UNKNOWN_FIELD_HINT
    return kind, None, _HINTS.get(http, "")


def _retry_after(headers: httpx.Headers, status: RpcStatus | None, now: datetime) -> float | None:
    header = headers.get("retry-after")
    date = parse_http_date(header)
    waits = [parse_seconds(header), status.retry_delay if status else None]
    if date is not None:
        waits.append(max(0.0, (date - now).total_seconds()))
    return max((wait for wait in waits if wait is not None), default=None)
