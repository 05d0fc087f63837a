"""Authentication of callers by API key or bearer token. Any key or token is accepted, and none is stored or logged."""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from batchctl.emulator.wire import JsonObject, Refused, Request


class Caller(Enum):
    """The credentials that a call requires."""

    KEY = "an API key"
    TOKEN = "a bearer token"  # noqa: S105  a description
    READER = "a bearer token, or nothing if the settings allow anonymous reads"
    WRITER = "a bearer token, or nothing if the settings allow anonymous writes"
    ANYONE = "nothing"


def check_caller(request: Request, caller: Caller, *, open_reads: bool, open_writes: bool) -> None:
    """Raise Refused (400, 401 or 403) unless the call has these credentials. Source: reference 1.1, 3, 9, 16."""
    match caller:
        case Caller.KEY:
            _check_key(request)
        case Caller.TOKEN:
            _check_token(request)
        case Caller.READER:
            if _token(request) is not None or not open_reads:
                _check_token(request)
        case Caller.WRITER:
            if _token(request) is not None or not open_writes:
                _check_token(request)
        case Caller.ANYONE:
            return
        case _:
            assert_never(caller)


def _check_key(request: Request) -> None:
    key = request.header("x-goog-api-key") or request.param("key") or ""
    if not key and _token(request) is not None:
        _check_token(request)
        return
    if not key:
        raise Refused(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or"
            " other form of API consumer identity to call this API.",
        )
    if key.startswith("invalid"):
        detail = _error_info("API_KEY_INVALID", {"service": "generativelanguage.googleapis.com"})
        raise Refused(400, "API key not valid. Please pass a valid API key.", details=[detail])


def _check_token(request: Request) -> None:
    """A token that begins with `expired` is treated as expired."""
    token = _token(request)
    if not token:
        raise Refused(
            401,
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or"
            " other valid authentication credential.",
            details=[_error_info("CREDENTIALS_MISSING", {})],
        )
    if token.startswith("expired"):
        raise Refused(
            401,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other"
            " valid authentication credential.",
            details=[_error_info("ACCESS_TOKEN_EXPIRED", {})],
        )


def _token(request: Request) -> str | None:
    """The bearer token of the header or the query: None without either, empty if the header has another scheme."""
    header = request.header("authorization")
    if header:
        scheme, _, token = header.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return request.param("access_token", "oauth_token")


def _error_info(reason: str, metadata: JsonObject) -> JsonObject:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    return {**info, "metadata": metadata} if metadata else info
