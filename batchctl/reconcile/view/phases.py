"""The phase of a job, by the attempt that counts. No other place derives it.

A decision may have another phase than that: a job whose next attempt is due is `Waiting` or `Blocked`, whatever became
of the attempt before. Steps that are planned and not carried out do not change a phase.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.recorded import RecordedJob
from batchctl.model.states import GOOD_STATES, JobState, Phase
from batchctl.reconcile.view.endings import WANTED_STOPS, has_succeeded, was_cancelled


class PhaseFacts(Struct, frozen=True):
    """All that a phase follows from."""

    attempt: RecordedAttempt | None = None
    """The current one, as this pass observed it; None if there is none."""
    is_hidden: bool = False
    """Whether this pass does not know if the remote job exists, or was created already."""
    is_missing: bool = False
    """Whether the remote job was not found, and a second pass has yet to confirm that it is gone."""
    is_called_off: bool = False
    """Whether `batchctl cancel` was asked for."""
    is_removing: bool = False
    """Whether its removal has begun."""


def phase_of(facts: PhaseFacts) -> Phase:
    """The phase that these facts make."""
    attempt = facts.attempt
    if attempt is not None and attempt.remote is None and attempt.intent is not None:
        return Phase.SETTLING
    if facts.is_removing:
        return Phase.REMOVING
    if attempt is None:
        return Phase.UNKNOWN if facts.is_hidden else Phase.WAITING
    return _unsent(attempt, facts) if attempt.is_unsent else _sent(attempt, facts)


def phase_on_record(job: RecordedJob) -> Phase:
    """The phase of a job by its record alone, without a look at the API."""
    attempt = current_record(job)
    return phase_of(
        PhaseFacts(
            attempt,
            is_missing=attempt is not None and attempt.missed is not None,
            is_called_off=job.row.cancel_requested is not None,
            is_removing=job.row.removing_time is not None,
        )
    )


def current_record(job: RecordedJob) -> RecordedAttempt | None:
    """The attempt that counts, by the record: the sum of its shards; None if there is none."""
    return attempt_on_record(job, job.row.current)


def attempt_on_record(job: RecordedJob, number: int) -> RecordedAttempt | None:
    """An attempt by its record: the sum of its shards; None if there is none."""
    attempts = job.attempts
    if len(attempts) == 1 and attempts[0].key.attempt == number:
        return attempts[0]  # nearly all jobs
    from batchctl.reconcile.view.shards import combine_attempts  # few jobs have shards

    named = [one for one in attempts if one.key.attempt == number]
    return combine_attempts(named) if named else None


def _unsent(attempt: RecordedAttempt, facts: PhaseFacts) -> Phase:
    """Of an attempt without a remote job, and without a call that may have made one."""
    if attempt.rejected:
        return Phase.REJECTED
    return Phase.CANCELLED if facts.is_called_off else Phase.WAITING


def _sent(attempt: RecordedAttempt, facts: PhaseFacts) -> Phase:
    """Of an attempt with a remote job."""
    state = attempt.state
    if state is not None and attempt.has_ended:
        # Nothing leaves these states, seen again or not.
        return _ended(attempt, state)
    if attempt.is_gone:
        is_wanted = facts.is_called_off or attempt.cancel_cause in WANTED_STOPS
        return Phase.CANCELLED if is_wanted else Phase.FAILED
    if facts.is_missing:
        return Phase.SETTLING
    if facts.is_hidden or not attempt.is_active:
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
        if not has_succeeded(attempt):
            return Phase.FAILED
        if attempt.rows.not_sent:
            return Phase.PARTIALLY_SUCCEEDED
        # No more rows failed than the manifest allows: that is a success, however the API calls it.
        return Phase.SUCCEEDED if attempt.rows.too_many_failed is False else _ENDS[state]
    if was_cancelled(attempt, CancelCause.DEADLINE):
        return Phase.FAILED
    # The API may show as failed what we stopped (reference 1.6).
    return Phase.CANCELLED if was_cancelled(attempt, *WANTED_STOPS) else _ENDS[state]
