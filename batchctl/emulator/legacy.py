"""What Google's older REST APIs (Cloud Storage, BigQuery) have in common: their error shape, pages, own addresses.

Knows no path and no method of them.
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
    """An error answer with the list `errors` in it, each with a `reason`, which is what clients of these APIs read.

    `named` adds the google.rpc name, as BigQuery does and Cloud Storage does not; `place` is the kind and the name of
    the thing at fault, such as `("header", "If-Match")`.
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
        """The same refusal; a name that its status does not have by itself is kept, and details are."""
        old = cls(refused.status, refused.message, named=named or refused.name != Refused(refused.status, "").name)
        old.name, old.details = refused.name, refused.details
        return old

    def response(self) -> Response:
        """The error as it goes over the wire."""
        item = {"message": self.message, "domain": "global", "reason": self.reason}
        if self._place is not None:
            item |= {"locationType": self._place[0], "location": self._place[1]}
        error: JsonObject = {"code": self.status, "message": self.message, "errors": [item]}
        if self._named:
            error["status"] = self.name
        if self.details:
            error["details"] = list(self.details)
        return json_response({"error": error}, self.status)


def older(handler: Handler, *, named: bool = False) -> Handler:
    """The handler with all of its refusals in the older shape."""

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
    """How many things one page may hold. Raises Refused (400) when that is no number of at least 0."""
    return min(number(exchange, "maxResults", 0) or default, most)


def number(exchange: Exchange, name: str, default: int) -> int:
    """A query parameter that is a whole number of at least 0. Raises Refused (400) for anything else."""
    text = exchange.request.param(name)
    if text is None or not text:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refused(400, f"Invalid value for {name}: {ascii(text)[1:-1][:40]!r} is no whole number of at least 0.")
    return int(text)


def flag(exchange: Exchange, name: str) -> bool:
    """A query parameter that says yes or no; no by default."""
    return (exchange.request.param(name) or "").lower() in {"true", "1"}


def page_token(place: str) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(place.encode()).decode()


def read_token(exchange: Exchange) -> str:
    """The place that the page token names; empty without one. Raises Refused (400) for what is no token."""
    try:
        return base64.b64decode(exchange.request.param("pageToken") or "", b"-_", validate=True).decode()
    except ValueError as error:
        raise Refused(400, "Invalid page token.") from error
