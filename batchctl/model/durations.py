"""Writes durations as text: `1d12h`."""

from __future__ import annotations

from datetime import timedelta

UNITS = (("w", 7 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def duration_text(length: timedelta) -> str:
    """A duration as in manifests, `1d12h`, in whole seconds; `0s` for less than one second.

    Source: design section 8, `^([0-9]+(w|d|h|m|s))+$`.
    """
    return in_units(int(length.total_seconds()), len(UNITS))


def in_units(seconds: int, most: int) -> str:
    """A number of seconds in at most `most` units, the largest first."""
    parts: list[str] = []
    for unit, size in UNITS:
        count, rest = divmod(seconds, size)
        if parts or count:
            parts.append(f"{count}{unit}" if count else "")
            seconds = rest
        if len(parts) == most:
            break
    return "".join(parts) or "0s"
