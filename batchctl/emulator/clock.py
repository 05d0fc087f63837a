"""Times and durations: nanoseconds since 1970, UTC, as integers.

The emulator's clock is a number in the store (see `store`); this module does not read the real time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import formatdate

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
WEEK = 7 * 24 * HOUR
LONGEST = 100 * 52 * WEEK
"""About a hundred years: every stored time must fit into SQLite's integers and the years of RFC 3339."""

_TO_SECONDS = len("2026-11-30T12:00:00")
_UNITS = {"w": WEEK, "d": 24 * HOUR, "h": HOUR, "m": 60 * SECOND, "s": SECOND}
_DURATION = re.compile(r"([0-9]+[wdhms])+")


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as `1h30m`, at most LONGEST. Raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration such as 48h or 1h30m")
    total = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[0-9]+[wdhms]", text))
    return min(total, LONGEST)


def timestamp(moment: int) -> str:
    """RFC 3339 in UTC with nine fraction digits. Source: reference 1.2."""
    seconds, nanos = divmod(moment, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:_TO_SECONDS]}.{nanos:09d}Z"


def micro_timestamp(moment: int) -> str:
    """RFC 3339 in UTC with six fraction digits; the rest is cut off. Source: reference 3.1."""
    return f"{timestamp(moment)[:-4]}Z"


def parse_timestamp(text: str) -> int:
    """Nanoseconds of an RFC 3339 time with a zone, in microsecond precision. Raises ValueError if it is invalid."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return int(parsed.replace(microsecond=0).timestamp()) * SECOND + parsed.microsecond * 1000


def http_date(moment: int) -> str:
    """The format of the `Date` header."""
    return formatdate(moment // SECOND, usegmt=True)
