"""The outcome of a plan for each job, from the engine for the report."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from batchctl.model.errors import BatchctlError


class Result(StrEnum):
    """The result of one job's action in this pass."""

    DONE = "done"
    """All its steps are done, or there was nothing to do."""
    PENDING = "pending"
    """It continues in a later pass: a wait, or a replace whose old job is still being cancelled."""
    FAILED = "failed"
    """A step failed; the error says why."""
    SKIPPED = "skipped"
    """Refused by a guard, without consent, or not started because the pass was stopped."""


class Outcome(Struct, frozen=True):
    """The outcome of one job's action."""

    job: str
    result: Result
    remote: str | None = None
    """The resource name of the current remote job after the pass."""
    error: BatchctlError | None = None
    """Why it failed; the guard's refusal when it was skipped by one."""
