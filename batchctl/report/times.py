"""Moments and lengths of time as text: RFC 3339 for machines, short ages for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

UNITS = (("w", 7 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def rfc3339(moment: datetime | None) -> str | None:
    """A moment in UTC with `Z`, to the microsecond where it has any; None stays None."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def clock_time(moment: datetime) -> str:
    """The time of day in UTC, for log lines: `10:31:07Z`."""
    return f"{moment.astimezone(UTC):%H:%M:%S}Z"


def duration(length: timedelta) -> str:
    """A length as the manifests write it, `1d12h`; whole seconds, and `0s` for less than one.

    Source: design section 8, `^([0-9]+(w|d|h|m|s))+$`.
    """
    return _in_units(int(length.total_seconds()), len(UNITS))


def age(since: datetime | None, now: datetime) -> str:
    """How long ago something was, in the two largest units: `5s`, `3m10s`, `2d4h`; `-` when it is not known.

    A moment in the future, which a wrong clock can bring about, is `0s`.
    """
    return "-" if since is None else _in_units(max(0, int((now - since).total_seconds())), 2)


def _in_units(seconds: int, most: int) -> str:
    parts: list[str] = []
    for unit, size in UNITS:
        count, rest = divmod(seconds, size)
        if parts or count:
            parts.append(f"{count}{unit}" if count else "")
            seconds = rest
        if len(parts) == most:
            break
    return "".join(parts) or "0s"
