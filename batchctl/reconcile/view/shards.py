"""The shards of one attempt as a single attempt: what is known of the job over all its parts.

Each shard has its own remote job, record and observation. Only what asks about the job as a whole uses the sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.observed import Gone, Missing, Presence, Present, RowCounts, Status, Unknown
from batchctl.model.row_work import RowsSent
from batchctl.model.states import BAD_STATES, GOOD_STATES, JobState
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.endings import WANTED_STOPS, was_cancelled


def combine_views(views: Sequence[AttemptView]) -> AttemptView:
    """The view of an attempt by those of its shards, in their order."""
    if len(views) == 1:
        return views[0]
    return AttemptView(
        combine_attempts([view.attempt for view in views]),
        _presence(views),
        duplicates=tuple(job for view in views for job in view.duplicates),
        parts=tuple(views),
    )


def combine_attempts(attempts: Sequence[RecordedAttempt]) -> RecordedAttempt:
    """The record of an attempt by those of its shards, in their order."""
    first = attempts[0]
    if len(attempts) == 1:
        return first
    merged = first.merged
    is_over = all(is_settled(one) for one in attempts)
    return replace(
        first,
        intent=next((one.intent for one in attempts if one.intent is not None), None),
        remote=next((one.remote for one in attempts if one.remote is not None), None),
        state=_state(attempts, is_over=is_over),
        create_time=_earliest(one.create_time for one in attempts),
        start_time=_earliest(one.start_time for one in attempts),
        end_time=_latest(one.end_time for one in attempts) if is_over else None,
        rows=_rows(attempts) if merged is None else merged.rows,
        results=None if merged is None else merged.path,
        results_lost=all(one.results_lost for one in attempts),
        error=_error(attempts),
        rejected=all(one.rejected for one in attempts),
        cancel_time=_latest(one.cancel_time for one in attempts),
        cancel_cause=_cause(attempts),
        delete_time=_latest(one.delete_time for one in attempts) if all(one.is_gone for one in attempts) else None,
        gone_time=_latest(one.gone_time for one in attempts) if all(one.is_gone for one in attempts) else None,
        missed=next((one.missed for one in attempts if one.missed is not None), None),
        input_bytes=_sum(one.input_bytes for one in attempts),
        tokens=_sum(one.tokens for one in attempts),
        trouble=next((one.trouble for one in attempts if one.trouble is not None), None),
        sent=_sent(attempts),
    )


def is_settled(attempt: RecordedAttempt) -> bool:
    """Whether nothing more will happen to a shard by itself: it has ended, is gone, or was refused for good."""
    return attempt.has_ended or attempt.is_gone or (attempt.rejected and attempt.is_unsent)


def _state(attempts: Sequence[RecordedAttempt], *, is_over: bool) -> str | None:
    states = [one.state for one in attempts if one.state is not None]
    if not states:
        return None
    if not is_over:
        unknown = [one.state for one in attempts if one.state is not None and not one.is_active and not one.has_ended]
        active = [one.state for one in attempts if one.is_active and one.state is not None]
        waiting = {JobState.QUEUED, JobState.PENDING}
        running = [state for state in active if state not in waiting]
        has_begun = any(one.has_ended for one in attempts)
        return (unknown or running or ([JobState.RUNNING] if has_begun or not active else active))[0]
    have_all = all(state == JobState.SUCCEEDED for state in states) and len(states) == len(attempts)
    lost = sum(map(has_lost_results, attempts))
    if have_all and lost in {0, len(attempts)}:
        return JobState.SUCCEEDED
    if any(was_cancelled(one, *WANTED_STOPS) for one in attempts):
        return JobState.CANCELLED
    if any(state in GOOD_STATES for state in states):
        return JobState.PARTIALLY_SUCCEEDED
    return next((state for state in states if state in BAD_STATES), JobState.FAILED)


def _cause(attempts: Sequence[RecordedAttempt]) -> CancelCause | None:
    """Why shards were cancelled: a stop of the whole job before the deadline of one of them."""
    causes = [one.cancel_cause for one in attempts if one.cancel_cause is not None]
    return next((cause for cause in causes if cause is not CancelCause.DEADLINE), causes[0] if causes else None)


def has_lost_results(attempt: RecordedAttempt) -> bool:
    """Whether the results of a shard cannot be had any more."""
    return attempt.results is None and (attempt.results_lost or attempt.is_gone)


def _rows(attempts: Sequence[RecordedAttempt]) -> RowCounts:
    verdicts = Counter[str]()
    for one in attempts:
        verdicts.update(one.rows.verdicts)
    return RowCounts(
        _sum(one.sent.rows if one.sent is not None else one.rows.total for one in attempts),
        _sum(one.rows.ok for one in attempts),
        _sum(one.rows.failed for one in attempts),
        dict(verdicts),
    )


def _sent(attempts: Sequence[RecordedAttempt]) -> RowsSent | None:
    found = [one.sent for one in attempts if one.sent is not None]
    if not found:
        return None
    verdicts = Counter[str]()
    for one in found:
        verdicts.update(one.verdicts)
    tokens = _sum(one.tokens for one in found)
    return replace(found[0], rows=sum(one.rows for one in found), verdicts=dict(verdicts), tokens=tokens)


def _error(attempts: Sequence[RecordedAttempt]) -> Status | None:
    """The first error, with the shard that has it."""
    for one in attempts:
        if one.error is not None:
            return replace(one.error, message=f"shard {one.key.attempt}.{one.key.shard}: {one.error.message}")
    return None


def _presence(views: Sequence[AttemptView]) -> Presence:
    """Unknown or missing where one of them is; else present as long as one is there."""
    found = [view.presence for view in views if view.attempt.remote is not None]
    for kind in (Unknown, Missing, Present):
        for one in found:
            if isinstance(one, kind):
                return one
    return Gone()


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    return max((time for time in times if time is not None), default=None)


def _sum(numbers: Iterable[int | None]) -> int | None:
    found = list(numbers)
    return None if any(number is None for number in found) else sum(number for number in found if number is not None)
