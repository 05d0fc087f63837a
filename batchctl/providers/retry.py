"""Polite retries for calls that may be repeated without harm. A create call never comes here.

Source: design section 6; reference 6.5 and chapter 9 (RetryInfo).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.errors import ApiError, ApiStatus, ConnectionFailed, QuotaExceeded, ReplyLost, ServerFailed
from batchctl.model.ports import Clock

T = TypeVar("T")

_TIMEOUT_STATUS = 408
_NOT_IMPLEMENTED = 501


def is_transient(error: ApiError) -> bool:
    """Whether the same call may well succeed a little later."""
    if isinstance(error, ApiStatus) and error.http in (_TIMEOUT_STATUS, _NOT_IMPLEMENTED):
        return error.http == _TIMEOUT_STATUS
    return isinstance(error, ConnectionFailed | ReplyLost | QuotaExceeded | ServerFailed)


@dataclass(frozen=True)
class Retry:
    """How often and after how long a wait a failed call is made again. Waits are in seconds."""

    clock: Clock
    random: Callable[[], float]
    """Gives numbers in [0, 1)."""
    attempts: int = 5
    first_wait: float = 1.0
    max_wait: float = 30.0
    """Cap of our own back-off."""
    max_asked_wait: float = 60.0
    """The longest wait that the API may ask for; beyond it the error surfaces."""
    max_total_wait: float = 90.0
    """The longest wait for one call in all: one account that is unwell must not hold up a whole command."""
    activity: Activity = UNWATCHED

    def run(self, call: Callable[[], T], again: Callable[[ApiError], bool] = is_transient) -> T:
        """Make the call, again while `again` says so and attempts are left. Raises the last ApiError."""
        waited = 0.0
        for attempt in range(1, self.attempts):
            try:
                return call()
            except ApiError as error:
                seconds = self.pause(attempt, error, waited) if again(error) else None
                if seconds is None:
                    raise
                waited += seconds
        return call()

    def pause(self, attempt: int, error: ApiError, waited: float = 0.0) -> float | None:
        """Wait after the failure of the given attempt (from 1), and give how long; None, at once, for too long a wait.

        `waited` is how long this call has waited before. The wait is random between nothing and a doubling cap, on top
        of what the API asked for, so that many callers that failed together do not come back together.
        """
        asked = error.retry_after if isinstance(error, ApiStatus) else None
        if asked is not None and asked > self.max_asked_wait:
            return None
        cap = min(self.max_wait, self.first_wait * 2.0 ** (attempt - 1))
        seconds = (asked or 0.0) + self.random() * cap
        if waited + seconds > self.max_total_wait:
            return None
        self.activity.trying_again(error.message, seconds)
        self.clock.sleep(seconds)
        return seconds
