"""Moments as text: RFC 3339 in UTC with `Z`, in the one form that the state, the results and all outputs share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def rfc3339(moment: datetime) -> str: ...
@overload
def rfc3339(moment: None) -> None: ...
def rfc3339(moment: datetime | None) -> str | None:
    """A moment to the microsecond where it has any; None stays None."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rfc3339_seconds(moment: datetime) -> str:
    """A moment to the second, for messages and events."""
    return rfc3339(moment.replace(microsecond=0))


def read_rfc3339(text: str) -> datetime:
    """The moment that a text names, in its own zone. Raises ValueError, also for a time without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without a time zone: {text!r}")
    return moment
