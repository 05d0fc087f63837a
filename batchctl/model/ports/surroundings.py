"""The protocols of the clock, of progress and of hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from batchctl.model.notices import Hook, Notice
from batchctl.model.plan import JobPlan, Plan


class Clock(Protocol):
    """The clock. Tests replace it."""

    def now(self) -> datetime:
        """The local time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; returns early if the process was asked to stop."""
        ...


class Stoppable(Clock, Protocol):
    """A clock that knows whether the process was asked to stop."""

    def is_stopped(self) -> bool: ...

    def elapsed(self) -> float:
        """Seconds since some moment in the past, on a monotonic clock."""
        ...


class Progress(Protocol):
    """Receives the progress of the engine, which never prints."""

    def planned(self, plan: Plan) -> None: ...

    def step(self, job: str, message: str, attempt: int | None = None) -> None:
        """A step of a job was executed; `attempt` is the one that it is about."""
        ...

    def warn(self, message: str) -> None: ...

    def waiting(self, jobs: Sequence[JobPlan], seconds: float) -> None:
        """A pass has ended; the next one starts in `seconds`."""
        ...


class Notifier(Protocol):
    """Delivers notices to hooks. Thread-safe."""

    def send(self, hook: Hook, notice: Notice) -> None:
        """Deliver a notice, once, within a time limit.

        Raises NotDelivered, and HookUnusable if the set-up does not allow a try.
        """
        ...

    def check(self, hook: Hook) -> None:
        """Check whether the set-up allows a delivery to a hook, without one. Raises like `send`."""
        ...
