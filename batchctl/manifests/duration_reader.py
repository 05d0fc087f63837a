"""Durations as manifests write them: `90s`, `12h`, `1d12h`."""

from __future__ import annotations

from datetime import timedelta

from batchctl.model.pattern import Pattern

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART = Pattern(r"([0-9]+)([wdhms])")
_WHOLE = Pattern(r"([0-9]+[wdhms])+")

LONGEST = timedelta(days=3650)
"""Ten years: a longer duration is a mistake, and adding it to a date would overflow."""


def parse_duration(text: str) -> timedelta:
    """Read a duration. Raises ValueError with the reason if it is malformed or longer than ten years."""
    if not _WHOLE.fullmatch(text):
        raise ValueError("must be a duration such as 90s, 12h or 1d12h")
    total = 0
    for number, unit in _PART.findall(text):
        if len(number) > len("999999999"):
            raise ValueError("is longer than ten years")
        total += int(number) * _SECONDS[unit]
    if total > LONGEST.total_seconds():
        raise ValueError("is longer than ten years")
    return timedelta(seconds=total)
