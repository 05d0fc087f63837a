"""Times and ages for people."""

from __future__ import annotations

from datetime import UTC, datetime

from batchctl.model.durations import in_units


def clock_time(moment: datetime) -> str:
    """The time of day in UTC, for log lines: `10:31:07Z`."""
    return f"{moment.astimezone(UTC):%H:%M:%S}Z"


def age(since: datetime | None, now: datetime) -> str:
    """An age in its two largest units: `5s`, `3m10s`, `2d4h`; `-` if it is not known.

    A time in the future, which a wrong clock can cause, is `0s`.
    """
    return "-" if since is None else in_units(max(0, int((now - since).total_seconds())), 2)
