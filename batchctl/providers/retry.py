"""Polite retries for calls that may be repeated without harm. A create call never comes here.

Source: design section 6; reference 6.5 and chapter 9 (RetryInfo).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeVar

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.allowance import Allowance, in_force
from batchctl.model.desired import Limits
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
    total: float = Limits.read_timeout.total_seconds()
    """How long one read may take in all: the calls themselves, the waits between them, and all pages of a list."""
    activity: Activity = UNWATCHED

    def run(
        self, call: Callable[[], T], again: Callable[[ApiError], bool] = is_transient, *, is_transfer: bool = False
    ) -> T:
        """Make the call, again while `again` says so and attempts and time are left. Raises the last ApiError.

        A transfer's own calls may take longer, as long as they get on; only no further one is begun then.
        """
        allowance, waited = Allowance(self.total), 0.0
        for attempt in range(1, self.attempts + 1):
            try:
                with nullcontext() if is_transfer else allowance.holding():
                    return call()
            except ApiError as error:
                if attempt == self.attempts or not again(error):
                    raise
                seconds = self.pause(attempt, error, waited, allowance)
                if seconds is None:
                    raise
                waited += seconds
        raise AssertionError("the last attempt gives or raises")

    def pause(
        self, attempt: int, error: ApiError, waited: float = 0.0, allowance: Allowance | None = None
    ) -> float | None:
        """Wait after the failure of the given attempt (from 1), and give how long; None, at once, for too long a wait.

        `waited` is how long this call has waited before, `allowance` what it may take in all. The wait is random
        between nothing and a doubling cap, on top of what the API asked for, so that many callers that failed together
        do not come back together.
        """
        asked = error.retry_after if isinstance(error, ApiStatus) else None
        if asked is not None and asked > self.max_asked_wait:
            return None
        cap = min(self.max_wait, self.first_wait * 2.0 ** (attempt - 1))
        seconds = (asked or 0.0) + self.random() * cap
        if waited + seconds > self.max_total_wait or seconds >= (allowance or in_force()).left():
            return None
        self.activity.trying_again(error.message, seconds)
        self.clock.sleep(seconds)
        return seconds
