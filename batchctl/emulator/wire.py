"""Requests, responses, and the errors of Google's APIs, as plain values.

Defines the format of an error body. This module knows no path and no method; the services define them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field

JsonObject: TypeAlias = dict[str, Any]

RPC_CODES = {
    "CANCELLED": 1,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}
"""The google.rpc numbers, which appear in operations and rows. Source: reference 9."""

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def status_of(code: int) -> tuple[int, str]:
    """The HTTP status and the google.rpc name of a google.rpc number. Source: reference 9."""
    name = next((name for name, number in RPC_CODES.items() if number == code), "UNKNOWN")
    usual = 400 if name == "FAILED_PRECONDITION" else 500
    return next((status for status, known in _STATUS_NAMES.items() if known == name), usual), name


class Request(Struct, frozen=True):
    """One complete HTTP request."""

    method: str
    path: str
    """Percent-decoded, without the query."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    scheme: str = "http"
    too_large: bool = False
    """The body exceeds the limit of the call and was not read."""

    def header(self, name: str) -> str:
        """The value of the header; empty if it is absent."""
        return self.headers.get(name.lower(), "")

    def param(self, *names: str) -> str | None:
        """The first query parameter with one of these names."""
        return next((value for name, value in self.query if name in names), None)


class Response(Struct, frozen=True):
    """One HTTP response. A body that is not bytes is generated while it is sent."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    cut: bool = False
    """Close the connection instead of sending a reply."""


class Refused(Exception):
    """An error reply of the API. `status` is the HTTP status, `name` the google.rpc name."""

    def __init__(
        self, status: int, message: str, *, name: str | None = None, details: Iterable[JsonObject] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.name = name or _STATUS_NAMES.get(status, "UNKNOWN")
        self.details = tuple(details)

    def response(self) -> Response:
        """The error as an HTTP response. Source: reference 9."""
        error: JsonObject = {"code": self.status, "message": self.message, "status": self.name}
        if self.details:
            error["details"] = list(self.details)
        return json_response({"error": error}, self.status)


def not_found() -> Refused:
    """The error for a missing job or a missing input file. Source: reference 9."""
    return Refused(404, "Requested entity was not found.")


def json_response(value: JsonObject, status: int = 200, *, indented: bool = False) -> Response:
    """A JSON reply, compact unless it is `indented`."""
    body = _indented(value) if indented else json_bytes(value)
    return Response(status, {"content-type": "application/json; charset=UTF-8"}, body)


def _indented(value: JsonObject) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def json_bytes(value: object) -> bytes:
    """UTF-8 JSON; half a surrogate pair, which UTF-8 cannot encode, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
