"""The phase of a job. This is the one place that derives it: whoever shows, tells or weighs a phase asks here.

A phase follows from what is known of the attempt that counts, and from what is to come of the job. What a plan is about
to do does not count before it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from batchctl.model.recorded import CancelCause, RecordedAttempt, RecordedJob
from batchctl.model.states import GOOD_STATES, JobState, Phase, is_active, is_terminal
from batchctl.reconcile.view.endings import has_succeeded, was_cancelled

WANTED_STOPS = frozenset({CancelCause.USER, CancelCause.REMOVE, CancelCause.REPLACE, CancelCause.DUPLICATE})
"""Cancels that somebody wanted: such an end is no failure. A deadline's cancel is one."""


class Outlook(Enum):
    """What is to come of a job."""

    AS_IT_IS = "as it is"
    """Nothing but the end of the attempt that counts."""
    ATTEMPT = "attempt"
    """An attempt, the first or a further one, as soon as it may be made."""
    BLOCKED = "blocked"
    """An attempt is wanted, and will not be made before a person mends what the job depends on."""


@dataclass(frozen=True)
class PhaseFacts:
    """All that a phase follows from."""

    attempt: RecordedAttempt | None = None
    """The one that counts, as this look leaves it; None when there is none."""
    is_hidden: bool = False
    """Whether this look could not tell if the remote job is there, or was made already."""
    is_missing: bool = False
    """Whether this look did not find the remote job, and a second one has yet to confirm that it is gone."""
    is_called_off: bool = False
    """Whether `batchctl cancel` was asked for."""
    is_removing: bool = False
    """Whether its removal has begun."""
    outlook: Outlook = Outlook.AS_IT_IS


ATTEMPT_DUE = PhaseFacts(outlook=Outlook.ATTEMPT)
"""An attempt is to be made; what became of those before does not count any more."""


def phase_of(facts: PhaseFacts) -> Phase:
    """The phase of a job that stands so."""
    attempt = facts.attempt
    if facts.outlook is Outlook.BLOCKED:
        return Phase.BLOCKED
    if facts.outlook is Outlook.ATTEMPT:
        return Phase.WAITING
    if attempt is not None and attempt.remote is None and attempt.intent is not None:
        return Phase.SETTLING
    if facts.is_removing:
        return Phase.REMOVING
    if attempt is None:
        return Phase.UNKNOWN if facts.is_hidden else Phase.WAITING
    return _unsent(attempt, facts) if attempt.is_unsent else _sent(attempt, facts)


def phase_on_record(job: RecordedJob) -> Phase:
    """The phase of a job by its record alone, without a look at the API."""
    attempt = next((one for one in reversed(job.attempts) if one.key.attempt == job.current), None)
    return phase_of(
        PhaseFacts(
            attempt,
            is_missing=attempt is not None and attempt.missed is not None,
            is_called_off=job.cancel_requested is not None,
            is_removing=job.removing_time is not None,
        )
    )


def _unsent(attempt: RecordedAttempt, facts: PhaseFacts) -> Phase:
    """Of an attempt without a remote job, and without a call that may have made one."""
    if attempt.rejected:
        return Phase.REJECTED
    return Phase.CANCELLED if facts.is_called_off else Phase.WAITING


def _sent(attempt: RecordedAttempt, facts: PhaseFacts) -> Phase:
    """Of an attempt with a remote job."""
    state = attempt.state or ""
    if is_terminal(state):
        # Nothing leaves these states, seen again or not.
        return _ended(attempt, state)
    if attempt.is_gone:
        is_wanted = facts.is_called_off or attempt.cancel_cause in WANTED_STOPS
        return Phase.CANCELLED if is_wanted else Phase.FAILED
    if facts.is_missing:
        return Phase.SETTLING
    if facts.is_hidden or not is_active(state):
        return Phase.UNKNOWN
    is_cancelling = state == JobState.CANCELLING or attempt.cancel_time is not None or facts.is_called_off
    return Phase.CANCELLING if is_cancelling else Phase.ACTIVE


_ENDS: Mapping[str, Phase] = {
    JobState.SUCCEEDED: Phase.SUCCEEDED,
    JobState.PARTIALLY_SUCCEEDED: Phase.PARTIALLY_SUCCEEDED,
    JobState.FAILED: Phase.FAILED,
    JobState.CANCELLED: Phase.CANCELLED,
    JobState.EXPIRED: Phase.EXPIRED,
}


def _ended(attempt: RecordedAttempt, state: str) -> Phase:
    if state in GOOD_STATES:
        vanished = attempt.gone_time is not None and attempt.delete_time is None
        if attempt.results_lost or (vanished and attempt.is_uncollected):
            return Phase.RESULTS_LOST
        return _ENDS[state] if has_succeeded(attempt) else Phase.FAILED
    if was_cancelled(attempt, CancelCause.DEADLINE):
        return Phase.FAILED
    # The API may show as failed what we stopped (reference 1.6).
    return Phase.CANCELLED if was_cancelled(attempt, *WANTED_STOPS) else _ENDS[state]
