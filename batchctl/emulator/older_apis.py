"""Common parts of Google's older REST APIs (Cloud Storage, BigQuery): error format, pages, addresses.

This module knows no path and no method of these APIs.
"""

from __future__ import annotations

import base64
import re

from batchctl.emulator.exchange import Exchange, Handler
from batchctl.emulator.wire import JsonObject, Refused, Response, json_response

_REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
}


class OldRefused(Refused):
    """An error with the list `errors`, each with a `reason`, which clients of these APIs read.

    `named` adds the google.rpc name, as BigQuery does and Cloud Storage does not. `place` is the kind and the name of
    the invalid part of the request, such as `("header", "If-Match")`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        reason: str | None = None,
        *,
        named: bool = False,
        place: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.reason = reason or _REASONS.get(status, "backendError")
        self._named = named
        self._place = place

    @classmethod
    def of(cls, refused: Refused, *, named: bool) -> OldRefused:
        """The same error; its details are kept, and so is a name that is not the default of its status."""
        old = cls(refused.status, refused.message, named=named or refused.name != Refused(refused.status, "").name)
        old.name, old.details = refused.name, refused.details
        return old

    def response(self) -> Response:
        """The error as an HTTP response."""
        item = {"message": self.message, "domain": "global", "reason": self.reason}
        if self._place is not None:
            item |= {"locationType": self._place[0], "location": self._place[1]}
        error: JsonObject = {"code": self.status, "message": self.message, "errors": [item]}
        if self._named:
            error["status"] = self.name
        if self.details:
            error["details"] = list(self.details)
        return json_response({"error": error}, self.status)


def in_older_format(handler: Handler, *, named: bool = False) -> Handler:
    """The handler with all of its errors in the older format."""

    def answer(exchange: Exchange) -> JsonObject | Response:
        try:
            return handler(exchange)
        except OldRefused:
            raise
        except Refused as refused:
            raise OldRefused(refused.status, refused.message, named=named) from refused

    return answer


def host_url(exchange: Exchange) -> str:
    """The address under which the caller reached the emulator."""
    return f"{exchange.request.scheme}://{exchange.request.header('host') or 'localhost'}"


def max_results(exchange: Exchange, default: int, most: int) -> int:
    """The maximum number of entries per page. Raises Refused (400) unless it is an integer of at least 0."""
    return min(number(exchange, "maxResults", 0) or default, most)


def number(exchange: Exchange, name: str, default: int) -> int:
    """A query parameter that is an integer of at least 0. Raises Refused (400) for anything else."""
    text = exchange.request.param(name)
    if text is None or not text:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refused(400, f"Invalid value for {name}: {ascii(text)[1:-1][:40]!r} is not an integer of at least 0.")
    return int(text)


def flag(exchange: Exchange, name: str) -> bool:
    """A boolean query parameter; false by default."""
    return (exchange.request.param(name) or "").lower() in {"true", "1"}


def page_token(place: str) -> str:
    """An opaque token for a position in a list."""
    return base64.urlsafe_b64encode(place.encode()).decode()


def read_token(exchange: Exchange) -> str:
    """The position in the page token; empty without one. Raises Refused (400) for an invalid token."""
    try:
        return base64.b64decode(exchange.request.param("pageToken") or "", b"-_", validate=True).decode()
    except ValueError as error:
        raise Refused(400, "Invalid page token.") from error
