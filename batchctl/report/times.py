"""Moments and lengths of time as text for people: the time of day, and short ages."""

from __future__ import annotations

from datetime import UTC, datetime

from batchctl.model.durations import in_units


def clock_time(moment: datetime) -> str:
    """The time of day in UTC, for log lines: `10:31:07Z`."""
    return f"{moment.astimezone(UTC):%H:%M:%S}Z"


def age(since: datetime | None, now: datetime) -> str:
    """How long ago something was, in the two largest units: `5s`, `3m10s`, `2d4h`; `-` when it is not known.

    A moment in the future, which a wrong clock can bring about, is `0s`.
    """
    return "-" if since is None else in_units(max(0, int((now - since).total_seconds())), 2)
