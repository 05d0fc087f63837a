"""google.rpc.Status as the body of an HTTP error: reading it, and nothing else.

Source: reference chapter 9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from batchctl.providers.texts import as_object, parse_json
from batchctl.providers.times import parse_seconds

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,62}")


@dataclass(frozen=True)
class RpcStatus:
    """What an API said of a failure; every part may be missing. `message` is raw: not capped, not made plain."""

    message: str = ""
    status: str = ""
    """The rpc code's name, such as `RESOURCE_EXHAUSTED`."""
    reason: str = ""
    """From ErrorInfo, such as `API_KEY_INVALID`."""
    retry_delay: float | None = None
    """Seconds, from RetryInfo."""


def read_status(body: bytes) -> RpcStatus | None:
    """Read an error body; None when it is not a google.rpc.Status in JSON."""
    try:
        error = as_object(parse_json(body)).get("error")
    except ValueError:
        return None
    if not isinstance(error, dict) or not error.keys() & {"code", "message", "status"}:
        return None
    message = error.get("message")
    reason, delay = "", None
    details = error.get("details")
    for detail in map(as_object, details if isinstance(details, list) else []):
        kind = str(detail.get("@type", ""))
        if kind.endswith("google.rpc.ErrorInfo"):
            reason = reason or _name(detail.get("reason"))
        elif kind.endswith("google.rpc.RetryInfo"):
            delay = parse_seconds(detail.get("retryDelay"), "s")
    return RpcStatus(message if isinstance(message, str) else "", _name(error.get("status")), reason, delay)


def _name(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""
