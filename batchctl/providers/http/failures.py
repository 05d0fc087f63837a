"""Converts failures of HTTP calls to batchctl's errors, with code, reason and hint.

Use `transport_failure` for a call without a complete reply, and `status_failure` for a reply with an HTTP error.
Both shorten texts, make them one line and remove secrets. Source: reference chapter 9; design section 6.
"""

from __future__ import annotations

import re
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
from batchctl.model.exhaustion import exhausted
from batchctl.model.observed import Status
from batchctl.providers.error_hints import GEMINI, Hints
from batchctl.providers.error_rules import find_rule
from batchctl.providers.http.calls import PROXY_HINT
from batchctl.providers.reply_times import parse_http_date, parse_seconds
from batchctl.providers.rpc_status import RpcStatus, read_status
from batchctl.providers.untrusted_text import as_object, capped, parse_json, plain

NOTHING_SENT: tuple[type[Exception], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""Raised before the first byte of a request is sent."""

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
"""Every error that httpx raises for a failed call; its StreamError is a bug in the caller."""

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
_ERRORS = range(400, 600)
_CLEAR_WITHOUT_WORDS = frozenset({401, 413, 429})
"""Statuses that mean the same whichever server sends them, so they need no google.rpc.Status.

Any other 4xx without one proves nothing: a proxy's 404 page must not count as a deleted job.
"""

_KEY_HINT = "the API does not know this key: check GOOGLE_API_KEY (it wins) or GEMINI_API_KEY"
_KEY_WORDS = re.compile(r"\bAPI key (?:is )?(?:not valid|invalid|expired)\b", re.IGNORECASE)
"""Gateways leave the details of an error out, with the reason."""
_PLAIN_LIMIT = 4096
"""Bytes of a plain-text body that are read."""
RPC_HTTP: Mapping[int, tuple[int, str]] = {
    1: (499, "CANCELLED"),
    3: (400, "INVALID_ARGUMENT"),
    4: (504, "DEADLINE_EXCEEDED"),
    5: (404, "NOT_FOUND"),
    6: (409, "ALREADY_EXISTS"),
    7: (403, "PERMISSION_DENIED"),
    8: (429, "RESOURCE_EXHAUSTED"),
    9: (400, "FAILED_PRECONDITION"),
    10: (409, "ABORTED"),
    11: (400, "OUT_OF_RANGE"),
    12: (501, "UNIMPLEMENTED"),
    14: (503, "UNAVAILABLE"),
    16: (401, "UNAUTHENTICATED"),
}
"""Numbers of google.rpc.Code that are the client's errors; all others are the server's."""
_HTTP_OF_NAME = {name: http for http, name in RPC_HTTP.values()}


def transport_failure(exc: Exception, *, what: str, redact: Callable[[str], str]) -> ApiError:
    """The error for a call without a complete reply. `what` names the call, such as `batches.list`."""
    said = capped(redact(plain(str(exc)))) or "no details"
    message = f"{what}: {said} ({type(exc).__name__})"
    problem = exhausted(exc)
    if isinstance(exc, NOTHING_SENT) and problem is not None:
        return ConnectionFailed(f"{what}: {problem.message}", code=problem.code, hint=problem.hint)
    if isinstance(exc, NOTHING_SENT):
        return ConnectionFailed(message, hint=_connection_hint(exc))
    if isinstance(exc, UNREADABLE):
        return BadReply(message, hint="a proxy or gateway changes the API's replies")
    return ReplyLost(message, hint="the connection broke before the complete reply arrived; run the command again")


def _connection_hint(exc: Exception) -> str:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "the certificate was rejected: behind a TLS-inspecting proxy, set SSL_CERT_FILE to its root"
        if isinstance(cause, socket.gaierror):
            return "the host name was not found: check the endpoint and the network"
        cause = cause.__cause__ or cause.__context__
    return "nothing was sent: check the endpoint, the network and HTTPS_PROXY"


def status_failure(
    http: int,
    headers: httpx.Headers,
    body: bytes,
    *,
    what: str,
    now: datetime,
    redact: Callable[[str], str],
    hints: Hints = GEMINI,
) -> ApiError:
    """The error for a reply that is not a success. `now` is the server's time, for a `Retry-After` date."""
    if http in _REDIRECTS:
        return BadReply(
            f"{what}: HTTP {http}, a redirect, which is not followed",
            hint="check the endpoint: batchctl sends credentials to no other address",
            details={"http": http},
        )
    status = read_status(body)
    if status is None and http not in _SERVER_ERRORS and http not in _CLEAR_WITHOUT_WORDS:
        words = _plain_words(body, redact)
        return BadReply(
            f"{what}: HTTP {http} without an error from the API{f': {words}' if words else ''}",
            hint=PROXY_HINT,
            details={"http": http},
        )
    wait = _retry_after(headers, status, now)
    return _api_status(http, status or RpcStatus(), wait, what=what, redact=redact, hints=hints)


def _plain_words(body: bytes, redact: Callable[[str], str]) -> str:
    """The text of a plain-text body; empty for HTML and JSON, which are unreadable in a message."""
    # Redact before cutting: half of a secret would not be recognized.
    text = plain(redact(body.decode("utf-8", "replace"))[:_PLAIN_LIMIT])
    return "" if text[:1] in ("", "<", "{", "[") else capped(redact(text))


def hidden_failure(
    body: bytes, headers: httpx.Headers, *, what: str, now: datetime, redact: Callable[[str], str], hints: Hints
) -> ApiError | None:
    """The error for a reply with HTTP 200 that holds nothing but an error object; None for any other reply.

    Gateways and the upload protocol send such replies. An error beside other members belongs to a job, a file or a row.
    """
    try:
        found = as_object(parse_json(body))
    except ValueError:
        return None
    error = as_object(found.get("error"))
    status = read_status(body) if found.keys() == {"error"} and error else None
    if status is None:
        return None
    number = error.get("code")
    if not isinstance(number, int) or number not in _ERRORS:
        by_number, _ = RPC_HTTP.get(number if isinstance(number, int) else 0, (500, ""))
        number = _HTTP_OF_NAME.get(status.status, by_number)
    return _api_status(number, status, _retry_after(headers, status, now), what=what, redact=redact, hints=hints)


def operation_failure(status: Status, *, what: str, redact: Callable[[str], str], hints: Hints) -> ApiStatus:
    """The error for a failed Operation: a google.rpc.Status in a reply with HTTP 200."""
    http, name = RPC_HTTP.get(status.code or 0, (500, "INTERNAL"))
    return _api_status(http, RpcStatus(status.message, name), None, what=what, redact=redact, hints=hints)


def _api_status(
    http: int, status: RpcStatus, retry_after: float | None, *, what: str, redact: Callable[[str], str], hints: Hints
) -> ApiStatus:
    kind, code, hint = _classify(http, status, what, hints)
    if retry_after is not None:
        hint = f"{hint + '; ' if hint else ''}the API asks to wait {retry_after:g} seconds"
    facts = {
        "http": http,
        "status": capped(redact(plain(status.status))),
        "reason": capped(redact(plain(status.reason))),
        "retryAfter": retry_after,
        **{name: capped(redact(plain(text))) for name, text in _named(status).items()},
    }
    details: dict[str, Any] = {name: value for name, value in facts.items() if value not in ("", None)}
    return kind(
        f"{what}: HTTP {http}: {_said(status, redact)}",
        http=http,
        status=capped(redact(plain(status.status))),
        code=code,
        hint=hint,
        details=details,
        retry_after=retry_after,
    )


def _named(status: RpcStatus) -> dict[str, str]:
    return {"permission": status.permission, "resource": status.resource, "quota": status.quota}


def _said(status: RpcStatus, redact: Callable[[str], str]) -> str:
    """The API's message, followed by the names in its details that the message lacks."""
    message = plain(status.message)
    extra = [f"{name} {plain(text)}" for name, text in _named(status).items() if text and text not in message]
    words = capped(redact(message)) or "no details"
    return f"{words} ({capped(redact(', '.join(extra)))})" if extra else words


def _classify(http: int, status: RpcStatus, what: str, hints: Hints) -> tuple[type[ApiStatus], str | None, str]:
    if status.reason == "API_KEY_INVALID" or (http == httpx.codes.BAD_REQUEST and _KEY_WORDS.search(status.message)):
        # A 400, but the request may be valid: with the right key it may succeed.
        return Unauthenticated, ErrorCode.INVALID_KEY, _KEY_HINT
    if http in _SERVER_ERRORS:
        return ServerFailed, None, "the API failed; run the command again later"
    kind = _BY_HTTP.get(http, BadRequest)
    rule = find_rule(http, status, what)
    if rule is None:
        return kind, None, hints.of(what, http, status.status)
    return kind, rule.code, hints.place if rule.code is ErrorCode.UNSUPPORTED_LOCATION else rule.hint


def _retry_after(headers: httpx.Headers, status: RpcStatus | None, now: datetime) -> float | None:
    header = headers.get("retry-after")
    date = parse_http_date(header)
    waits = [parse_seconds(header), status.retry_delay if status else None]
    if date is not None:
        waits.append(max(0.0, (date - now).total_seconds()))
    return max((wait for wait in waits if wait is not None), default=None)
