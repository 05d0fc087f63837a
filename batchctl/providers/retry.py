"""Retries, with back-off, of calls that are safe to repeat. Create calls never use it.

Source: design section 6; reference 6.5 and chapter 9 (RetryInfo).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from msgspec import Struct

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.allowance import Allowance, in_force
from batchctl.model.errors import ApiError, ApiStatus, ConnectionFailed, QuotaExceeded, ReplyLost, ServerFailed
from batchctl.model.ports.surroundings import Clock
from batchctl.model.stack import Limits

T = TypeVar("T")

_TIMEOUT_STATUS = 408
_NOT_IMPLEMENTED = 501


def is_transient(error: ApiError) -> bool:
    """Whether the same call may succeed a little later."""
    if isinstance(error, ApiStatus) and error.http in (_TIMEOUT_STATUS, _NOT_IMPLEMENTED):
        return error.http == _TIMEOUT_STATUS
    return isinstance(error, ConnectionFailed | ReplyLost | QuotaExceeded | ServerFailed)


class Retry(Struct, frozen=True):
    """The tries of a failed call, and the pauses between them in seconds."""

    clock: Clock
    random: Callable[[], float]
    """Gives numbers in [0, 1)."""
    attempts: int = 5
    first_wait: float = 1.0
    max_wait: float = 30.0
    """The longest back-off."""
    max_asked_wait: float = 60.0
    """The longest pause that the API may ask for; beyond it the error is raised."""
    max_total_wait: float = 90.0
    """The longest pause for one call in total: one failing account must not block a complete command."""
    total: float = Limits().read_timeout.total_seconds()
    """Time limit of one read: its calls, the pauses between them, and all pages of a list."""
    activity: Activity = UNWATCHED
    elapsed: Callable[[], float] = time.monotonic
    """The clock of time limits, in seconds."""

    def run(
        self, call: Callable[[], T], may_repeat: Callable[[ApiError], bool] = is_transient, *, is_transfer: bool = False
    ) -> T:
        """Make the call, and repeat it while `may_repeat`, attempts and time allow. Raises the last ApiError.

        A transfer may take longer while it progresses; after the time limit it is not repeated.
        """
        allowance, waited = Allowance(self.total, now=self.elapsed), 0.0
        for attempt in range(1, self.attempts + 1):
            try:
                with nullcontext() if is_transfer else allowance.holding():
                    return call()
            except ApiError as error:
                if attempt == self.attempts or not may_repeat(error):
                    raise
                seconds = self.pause(attempt, error, waited, allowance)
                if seconds is None:
                    raise
                waited += seconds
        raise AssertionError("the last attempt gives or raises")

    def pause(
        self, attempt: int, error: ApiError, waited: float = 0.0, allowance: Allowance | None = None
    ) -> float | None:
        """Pause after the given failed attempt (from 1); gives the seconds, or None, at once, for too long a pause.

        `waited` is the sum of earlier pauses of this call, `allowance` its time budget. The pause is random between
        zero and a doubling limit, plus the delay that the API asked for, so that callers that failed together do not
        retry together.
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
