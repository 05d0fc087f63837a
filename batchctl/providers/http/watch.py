"""The time and the transfer rate of one call."""

from __future__ import annotations

import time

from msgspec import Struct

_SHORTEST_CHECK = 0.02
"""Seconds between two checks of a call that is about to exceed its limit."""


class Pace(Struct, frozen=True):
    """The minimum rate of a transfer: `size` bytes in each `seconds` spent waiting for them."""

    size: int = 64 * 1024
    seconds: float = 120.0


class Watch:
    """Measures one call's time and transfer rate. Times are in seconds on the monotonic clock."""

    def __init__(self, total: float, pace: Pace | None = None) -> None:
        self._end = time.monotonic() + total
        self._pace = pace
        self._waiting_since: float | None = time.monotonic()
        """None while the reader processes what arrived: that time is not the sender's."""
        self._waited = 0.0
        self._came = 0

    def over(self) -> bool:
        """Whether the call has to end: its time is up, or the transfer is too slow."""
        return time.monotonic() >= self._end or self.is_slow()

    def is_slow(self) -> bool:
        """Whether too few bytes arrived within the time of `pace`."""
        return self._pace is not None and self._came < self._pace.size and self._wait() >= self._pace.seconds

    def next_check(self) -> float:
        """Seconds until the call may have to end."""
        left = self._end - time.monotonic()
        if self._pace is not None:
            left = min(left, self._pace.seconds - self._wait())
        return max(left, _SHORTEST_CHECK)

    def came(self, size: int) -> None:
        """Record that bytes arrived; the reader is now processing them."""
        self._waited, self._waiting_since = self._wait(), None
        self._came += size
        if self._pace is not None and self._came >= self._pace.size:
            self._waited, self._came = 0.0, 0

    def wait_on(self) -> None:
        """Record that the reader waits for more bytes."""
        self._waiting_since = time.monotonic()

    def _wait(self) -> float:
        since = self._waiting_since
        return self._waited + (0.0 if since is None else time.monotonic() - since)
