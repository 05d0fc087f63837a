"""Times in replies: RFC 3339, `Date`, `Retry-After`, durations; and the provider's clock.

Source: reference 1.2, chapter 9; design section 5 (Time).
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

from batchctl.model.observed import TOLERATED_OFFSET
from batchctl.model.ports.surroundings import Clock

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_SANE_YEARS = range(2000, 2200)
"""A time outside these years is a broken clock's, or proto's zero, and must not be used in calculations."""


def parse_time(value: object) -> datetime | None:
    """Parse an RFC 3339 time as UTC, truncated to microseconds; None for anything else, or an absurd year."""
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if year not in _SANE_YEARS:
        return None
    micros = int((match[7] or "").ljust(6, "0")[:6])
    offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    try:
        local = datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
        return local + offset if match[8] == "-" else local - offset
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=16)  # many replies have the same second
def parse_http_date(value: str | None) -> datetime | None:
    """Parse a `Date` header; None when it is missing, malformed or absurd."""
    try:
        found = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    if moment.year not in _SANE_YEARS:
        return None
    return moment.astimezone(UTC)


def parse_seconds(value: object, suffix: str = "") -> float | None:
    """Parse seconds such as `43` or, with the suffix `s` of RetryInfo, `43.5s`; None for anything else."""
    if not isinstance(value, str) or not value.endswith(suffix):
        return None
    digits = value[: len(value) - len(suffix)].strip()
    return float(digits) if _SECONDS.fullmatch(digits) else None


_RESOLUTION = timedelta(seconds=1)
"""Of a `Date` header, which has whole seconds (RFC 9110, 5.6.7)."""


class ServerClock:
    """The provider's clock: the local clock plus the offset that `Date` headers show. Thread-safe.

    A header far from the known offset is used only when the next one agrees with it: a single wrong header must not
    make a deadline pass. Until then the earlier of the two times is used, so that less time has passed.

    A header has no fractions of a second, so the true offset lies between the one that it shows and a second more. With
    each header the known offset is moved into that range, no further: many headers show it to a fraction of a second.
    """

    def __init__(self, local: Clock) -> None:
        self._local = local
        self._offset = timedelta(0)
        self._doubtful: timedelta | None = None
        self._lock = threading.Lock()

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last header was far from the known offset, and no other has agreed with it yet."""
        with self._lock:
            return self._doubtful is not None

    def observe(self, date: str | None) -> None:
        """Use a reply's `Date` header; an unreadable one changes nothing."""
        moment = parse_http_date(date)
        if moment is None:
            return
        with self._lock:
            offset = moment - self._local.now()
            if abs(offset - self._offset) <= TOLERATED_OFFSET:
                self._offset, self._doubtful = min(max(self._offset, offset), offset + _RESOLUTION), None
            elif self._doubtful is not None and abs(offset - self._doubtful) <= TOLERATED_OFFSET:
                self._offset, self._doubtful = offset, None
            else:
                self._doubtful = offset

    def now(self) -> datetime:
        """The provider's time in UTC."""
        with self._lock:
            offset = self._offset if self._doubtful is None else min(self._offset, self._doubtful)
            return self._local.now() + offset
