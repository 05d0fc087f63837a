"""Whether the process works: `/healthz` and `/readyz`. Implements `Observer`.

A watch that sleeps wakes up in time, and one that works begins or ends something now and then: a call has a time limit
of two hours at most. All times are on a monotonic clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct

from batchctl.model.errors import BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.observing import End, Ending, PassKind, PassWork, TokenUse, Work

LONGEST_CALL = 2.5 * 3600.0
"""Seconds without the end of any work after which a pass counts as hanging: more than the longest transfer takes."""
_SLACK = 60.0
"""Seconds that a sleep may last longer than the longest pause: a machine may be busy or suspended for a moment."""


class Status(StrEnum):
    """The result of one check."""

    OK = "ok"
    FAILED = "failed"


class Check(Struct, frozen=True):
    """One check."""

    name: str
    status: Status
    detail: str


class Health:
    """The health of a process; `watches` says whether it has a watch loop. Thread-safe."""

    def __init__(
        self,
        read_state: Callable[[], object],
        *,
        watches: bool,
        longest_pause: float = 60.0,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read_state` raises BatchctlError if the state cannot be read; `longest_pause` is that of `--poll-max`."""
        self._read_state = read_state
        self._watches = watches
        self._pause = longest_pause
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._open = 0
        self._beat = elapsed()
        self._success: float | None = None
        self._has_ended = False

    @property
    def success_limit(self) -> float:
        """Seconds after which the last successful pass is too old for `/readyz`."""
        return max(600.0, 5 * self._pause)

    def begin(self, work: Work) -> End:
        self._note(+1)

        def end(ending: Ending) -> None:
            self._note(-1)
            if isinstance(work, PassWork) and work.kind is not PassKind.LOOK and ending.error is None:
                self._success = self._elapsed()

        return end

    def used(self, tokens: TokenUse) -> None:
        """Ignore it."""

    def ended(self) -> None:
        """The watch loop has ended."""
        self._has_ended = True

    def live(self) -> dict[str, Json]:
        """`/healthz`: whether the watch loop is alive. Without one, that the process answers is enough."""
        return _document([self._loop()] if self._watches else [])

    def ready(self) -> dict[str, Json]:
        """`/readyz`: whether the state can be read, and the last successful pass is not too old."""
        return _document([self._state(), *([self._loop(), self._last_pass()] if self._watches else [])])

    def _note(self, change: int) -> None:
        with self._lock:
            self._open += change
            self._beat = self._elapsed()

    def _loop(self) -> Check:
        with self._lock:
            silence, is_working = self._elapsed() - self._beat, self._open > 0
        if self._has_ended:
            return Check("watch", Status.FAILED, "the watch loop has ended")
        limit = LONGEST_CALL if is_working else 2 * self._pause + _SLACK
        doing = "in a pass" if is_working else "between two passes"
        words = f"{doing}; the last sign of life was {silence:.0f} s ago, the limit is {limit:.0f} s"
        return Check("watch", Status.OK if silence <= limit else Status.FAILED, words)

    def _last_pass(self) -> Check:
        success = self._success
        if success is None:
            return Check("lastPass", Status.FAILED, "no pass has succeeded yet")
        age, limit = self._elapsed() - success, self.success_limit
        words = f"the last pass that succeeded ended {age:.0f} s ago, the limit is {limit:.0f} s"
        return Check("lastPass", Status.OK if age <= limit else Status.FAILED, words)

    def _state(self) -> Check:
        try:
            self._read_state()
        except BatchctlError as error:
            # The code alone: a message may name a place.
            return Check("state", Status.FAILED, f"the state cannot be read: {error.code}")
        return Check("state", Status.OK, "the state can be read")


def _document(checks: list[Check]) -> dict[str, Json]:
    """`batchctl/health/v1`."""
    is_well = all(check.status is Status.OK for check in checks)
    found: Mapping[str, Json] = {check.name: {"status": check.status.value, "detail": check.detail} for check in checks}
    status = Status.OK if is_well else Status.FAILED
    return {"format": "batchctl/health/v1", "status": status.value, "checks": dict(found)}
