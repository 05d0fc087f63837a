"""Job states as the APIs name them, and the phases that batchctl shows.

Defines which states are terminal. Of the wire formats it knows only the two prefixes.
Source: reference chapter 5.
"""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """The states of both APIs in one spelling. Any other state is kept as plain text."""

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
"""States of a job that is queued or running. PAUSED and UPDATING are not here: what follows them is not known."""

GOOD_STATES: frozenset[str] = frozenset({JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED})
"""Terminal states with results."""

BAD_STATES: frozenset[str] = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED})
"""Terminal states without complete results."""

TERMINAL_STATES: frozenset[str] = GOOD_STATES | BAD_STATES
"""States that a job never leaves."""


def normalise_state(wire: str) -> str:
    """The `JOB_STATE_*` spelling of a state from either API; unknown names stay unchanged."""
    if wire.startswith("BATCH_STATE_"):
        return "JOB_STATE_" + wire.removeprefix("BATCH_STATE_")
    return wire


def is_active(state: str) -> bool:
    """Whether the state is a known state of a queued or running job."""
    return state in ACTIVE_STATES


def is_terminal(state: str) -> bool:
    """Whether the state is terminal. An unknown state never is."""
    return state in TERMINAL_STATES


class Phase(StrEnum):
    """The phase of a job (`status`, `describe`)."""

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
"""Phases that make `watch` and `apply` end with exit code 4: the job does not succeed without a change."""

GOOD_PHASES: frozenset[Phase] = frozenset({Phase.SUCCEEDED, Phase.PARTIALLY_SUCCEEDED})
"""Phases of jobs that have ended with good rows."""

ENDED_PHASES: frozenset[Phase] = FAILED_PHASES | GOOD_PHASES
"""Phases that end only by a change of the manifest, a retry or a removal."""
