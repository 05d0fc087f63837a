"""Job states as the APIs name them, and the phases that batchctl shows.

Owns which states end a job. Knows nothing of any wire format but the two prefixes.
Source: reference chapter 5.
"""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """The states both APIs know, under one spelling. A state outside this enum is kept as plain text."""

    UNSPECIFIED = "JOB_STATE_UNSPECIFIED"
    QUEUED = "JOB_STATE_QUEUED"
    PENDING = "JOB_STATE_PENDING"
    RUNNING = "JOB_STATE_RUNNING"
    SUCCEEDED = "JOB_STATE_SUCCEEDED"
    FAILED = "JOB_STATE_FAILED"
    CANCELLING = "JOB_STATE_CANCELLING"
    CANCELLED = "JOB_STATE_CANCELLED"
    PAUSED = "JOB_STATE_PAUSED"
    EXPIRED = "JOB_STATE_EXPIRED"
    UPDATING = "JOB_STATE_UPDATING"
    PARTIALLY_SUCCEEDED = "JOB_STATE_PARTIALLY_SUCCEEDED"


ACTIVE_STATES: frozenset[str] = frozenset({JobState.QUEUED, JobState.PENDING, JobState.RUNNING, JobState.CANCELLING})
"""States of a job that works or waits for work. PAUSED and UPDATING are left out: what they lead to is not known."""

GOOD_STATES: frozenset[str] = frozenset({JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED})
"""Terminal states that hold results worth paying for."""

BAD_STATES: frozenset[str] = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED})
"""Terminal states without a full result."""

TERMINAL_STATES: frozenset[str] = GOOD_STATES | BAD_STATES
"""Nothing leaves these states."""


def normalise_state(wire: str) -> str:
    """Give the `JOB_STATE_*` spelling of a state as either API sends it; unknown names keep their own text."""
    if wire.startswith("BATCH_STATE_"):
        return "JOB_STATE_" + wire.removeprefix("BATCH_STATE_")
    return wire


def is_active(state: str) -> bool:
    """Whether the job works or waits for work, as far as we know the state."""
    return state in ACTIVE_STATES


def is_terminal(state: str) -> bool:
    """Whether the job has ended for good. A state we do not know is never terminal."""
    return state in TERMINAL_STATES


class Phase(StrEnum):
    """What batchctl says of a job as a whole (`status`, `describe`)."""

    WAITING = "Waiting"
    BLOCKED = "Blocked"
    SETTLING = "Settling"
    ACTIVE = "Active"
    CANCELLING = "Cancelling"
    SUCCEEDED = "Succeeded"
    PARTIALLY_SUCCEEDED = "PartiallySucceeded"
    FAILED = "Failed"
    REJECTED = "Rejected"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    REMOVING = "Removing"
    RESULTS_LOST = "ResultsLost"
    UNKNOWN = "Unknown"


FAILED_PHASES: frozenset[Phase] = frozenset(
    {Phase.FAILED, Phase.REJECTED, Phase.CANCELLED, Phase.EXPIRED, Phase.RESULTS_LOST}
)
"""Phases of jobs that have ended without success."""

NO_GOOD_PHASES: frozenset[Phase] = FAILED_PHASES | {Phase.BLOCKED}
"""Phases that make `watch` and `apply` end with exit code 4: nothing good comes of the job by itself."""

ENDED_PHASES: frozenset[Phase] = FAILED_PHASES | {Phase.SUCCEEDED, Phase.PARTIALLY_SUCCEEDED}
"""Phases that nothing but a change of the manifest, a retry or a removal leads out of."""
