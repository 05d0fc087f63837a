"""The events that a stack's hooks get: an attempt has ended, or makes no progress.

An end shows in the difference that a write makes to the record, so its event is committed with that write.
The event of a success waits until the results are collected: before that they are of no use, and it may turn out that
no row succeeded. Replies' words go into a notice as one line of bounded length; no prompt and no secret is in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.notices import Hook, Notice, NoticeType
from batchctl.model.observed import Observed, RowCounts
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import JobRow
from batchctl.model.stack import Stack
from batchctl.model.states import GOOD_STATES, JobState, Phase
from batchctl.model.texts import MESSAGE_LIMIT, cut
from batchctl.model.times import rfc3339_seconds
from batchctl.reconcile.decide.decision import BY_ORDER
from batchctl.reconcile.view.clocks import provider_now
from batchctl.reconcile.view.endings import is_collected_canary, row_words, was_cancelled
from batchctl.reconcile.view.phases import PhaseFacts, phase_of

FORMAT = "batchctl/event/v1"
_ID_LENGTH = 32
EXPIRING = timedelta(hours=12)
"""The time between the event and the earliest loss of the results."""

_TYPES: Mapping[Phase, NoticeType] = {
    Phase.SUCCEEDED: NoticeType.SUCCEEDED,
    Phase.PARTIALLY_SUCCEEDED: NoticeType.PARTIALLY_SUCCEEDED,
    Phase.FAILED: NoticeType.FAILED,
    Phase.EXPIRED: NoticeType.EXPIRED,
    Phase.CANCELLED: NoticeType.CANCELLED,
    Phase.REJECTED: NoticeType.REJECTED,
    Phase.RESULTS_LOST: NoticeType.RESULTS_LOST,
}
_STOPPED: Mapping[CancelCause, str] = {
    CancelCause.USER: BY_ORDER,
    CancelCause.REMOVE: "cancelled to be removed",
    CancelCause.REPLACE: "cancelled to be replaced",
}
"""Cancels that a person wanted, in words."""
_STOP_CODES: Mapping[CancelCause, Reason] = {
    CancelCause.USER: Reason.CANCEL_ORDERED,
    CancelCause.REMOVE: Reason.REMOVED,
    CancelCause.REPLACE: Reason.WORK_CHANGED,
    CancelCause.DUPLICATE: Reason.DUPLICATE,
}


class _News(Struct, frozen=True):
    """One event, before it is addressed to anybody."""

    type: NoticeType
    phase: Phase
    reason: str
    code: Reason | None


def end_notices(
    before: RecordedAttempt | None, after: RecordedAttempt, job: JobRow | None, stack: Stack, now: datetime
) -> tuple[Notice, ...]:
    """The events of a change to one attempt's record, for each hook that wants them. `job` is its job's row."""
    phase = end_of(after, job)
    if phase is None or _is_open_canary(after) or (before is not None and end_of(before, job) is phase):
        return ()
    news = _News(_TYPES[phase], phase, _end_words(after, phase, job), _end_code(after, phase, job))
    return tuple(_notice(news, after, job, stack, hook, now) for hook in stack.notify if news.type in hook.types)


def stuck_notices(
    jobs: Mapping[str, JobRow],
    attempts: Mapping[AttemptKey, RecordedAttempt],
    plan: Plan,
    observed: Observed,
    stack: Stack,
    now: datetime,
) -> tuple[Notice, ...]:
    """The events of planned jobs that make no progress, or stop after their canary; sent before or not."""
    found: list[Notice] = []
    for planned in plan.jobs if stack.notify else ():
        row = jobs.get(planned.job)
        attempt = None if row is None else attempts.get(AttemptKey(row.name, row.current))
        if attempt is not None and planned.code is Reason.CANARY_FAILED and _is_open_canary(attempt):
            news = _News(NoticeType.FAILED, planned.phase, planned.reason, planned.code)
            found.extend(
                _notice(news, attempt, row, stack, hook, now) for hook in stack.notify if news.type in hook.types
            )
        if attempt is None or attempt.remote is None or end_of(attempt) is not None:
            continue
        unseen = planned.phase in {Phase.UNKNOWN, Phase.SETTLING} and attempt.is_active
        if unseen or attempt.account in plan.problems:
            # What is recorded may be long over.
            continue
        clock = provider_now(attempt.account, observed, now)
        for hook in stack.notify:
            worries = {
                NoticeType.STUCK: (_stuck_words(attempt, hook, clock) or _unusual_words(planned), None),
                NoticeType.RESULTS_EXPIRING: (_expiring_words(attempt, clock), Reason.NOT_COLLECTED),
            }
            for kind, (words, code) in worries.items():
                if words and kind in hook.types:
                    news = _News(kind, planned.phase, words, code)
                    found.append(_notice(news, attempt, row, stack, hook, now))
    return tuple(found)


def possible_again(attempts: Collection[RecordedAttempt], stack: Stack) -> frozenset[str]:
    """The ids of events that a later pass may find again: of attempts that have not ended, and of canaries."""
    waits = (NoticeType.STUCK, NoticeType.RESULTS_EXPIRING)
    found = {
        **{attempt.key: waits for attempt in attempts if end_of(attempt) is None},
        **{attempt.key: (NoticeType.FAILED,) for attempt in attempts if _is_open_canary(attempt)},
    }
    return frozenset(_identity(kind, one, stack) for one in attempts for kind in found.get(one.key, ()))


def _is_open_canary(attempt: RecordedAttempt) -> bool:
    """Whether the plan decides if an attempt is a failure: the job goes on after a good canary."""
    return attempt.state in GOOD_STATES and is_collected_canary(attempt)


def end_of(attempt: RecordedAttempt, job: JobRow | None = None) -> Phase | None:
    """The phase in which an attempt ended, by its record and its job's row; None if it has not ended."""
    if attempt.sent is not None and attempt.sent.shards > 1:
        # A shard is not the job: that has ended when the results of all shards are merged.
        if attempt.key.shard or attempt.merged is None:
            return None
        attempt = replace(attempt, state=_merged_state(attempt), rows=attempt.merged.rows, results=attempt.merged.path)
    if attempt.is_unsent:
        has_ended = attempt.rejected
    elif attempt.state in GOOD_STATES:
        has_ended = not attempt.is_uncollected or attempt.is_gone
    else:
        has_ended = attempt.is_gone or attempt.has_ended
    return phase_of(PhaseFacts(attempt, is_called_off=_is_called_off(attempt, job))) if has_ended else None


def _merged_state(attempt: RecordedAttempt) -> str:
    """The state of an attempt with several shards whose results are merged."""
    has_all = attempt.merged is not None and not attempt.merged.rows.bad
    return JobState.SUCCEEDED if has_all else JobState.PARTIALLY_SUCCEEDED


def _is_called_off(attempt: RecordedAttempt, job: JobRow | None) -> bool:
    """Whether `batchctl cancel` was asked for while this attempt counted."""
    return job is not None and job.cancel_requested is not None and job.current == attempt.key.attempt


def _end_words(attempt: RecordedAttempt, phase: Phase, job: JobRow | None) -> str:
    """Why it ended as it did; empty where the phase says it all."""
    if phase is Phase.RESULTS_LOST:
        if attempt.trouble is not None and attempt.trouble.operation is Operation.COLLECT:
            return f"it succeeded, and its results could not be read: {attempt.trouble.message}"
        return "it succeeded, and its results were gone before they were collected"
    if phase is Phase.CANCELLED:
        cause = CancelCause.USER if _is_called_off(attempt, job) else attempt.cancel_cause
        return "cancelled by somebody else" if cause is None else _STOPPED.get(cause, "cancelled")
    if was_cancelled(attempt, CancelCause.DEADLINE):
        return "cancelled at its deadline"
    if attempt.state in GOOD_STATES:
        return row_words(attempt)
    if attempt.error is not None:
        return attempt.error.message
    return "" if attempt.has_ended else "it went missing before it ended"


def _end_code(attempt: RecordedAttempt, phase: Phase, job: JobRow | None) -> Reason | None:
    """The same for programs; None where the API or somebody else ended it, for reasons of their own."""
    if phase is Phase.RESULTS_LOST:
        return Reason.RESULTS_LOST
    if phase is Phase.REJECTED:
        return Reason.REJECTED
    if phase is Phase.CANCELLED:
        cause = CancelCause.USER if _is_called_off(attempt, job) else attempt.cancel_cause
        return None if cause is None else _STOP_CODES.get(cause)
    if was_cancelled(attempt, CancelCause.DEADLINE):
        return Reason.PENDING_DEADLINE if attempt.start_time is None else Reason.ACTIVE_DEADLINE
    if attempt.state in GOOD_STATES:
        return Reason.ROWS_FAILED if row_words(attempt) else Reason.SUCCEEDED
    return None if attempt.has_ended else Reason.MISSING


def _expiring_words(attempt: RecordedAttempt, clock: datetime) -> str:
    """That results which are not collected may be gone soon; empty when there is time."""
    by = attempt.collect_by
    if by is None or clock < by - EXPIRING:
        return ""
    why = f": {attempt.trouble.message}" if attempt.trouble is not None else ""
    return f"its results are not collected, and may be gone after {rfc3339_seconds(by)}{why}"


def _stuck_words(attempt: RecordedAttempt, hook: Hook, clock: datetime) -> str:
    """Why an attempt without an end counts as stuck; empty when it does not."""
    if attempt.cancel_cause is CancelCause.DEADLINE:
        return "past its deadline, and cancelled for it"
    since, words = attempt.create_time, attempt.state_words
    if attempt.has_ended:
        since, words = attempt.end_time, f"{words}, and its results not collected,"
    elif attempt.state == JobState.RUNNING:
        since = attempt.start_time or since
    if since is None or clock - since < hook.stuck_after:
        return ""
    return f"{words} for {_span(clock - since)}"


def _unusual_words(planned: JobPlan) -> str:
    """That a job is stuck by the history of the stack; empty when it is not."""
    forecast = planned.forecast
    return "" if forecast is None or forecast.stuck is None else forecast.stuck.words


def _span(time: timedelta) -> str:
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    return f"{hours}h{minutes}m"


def _notice(
    news: _News, attempt: RecordedAttempt, job: JobRow | None, stack: Stack, hook: Hook, now: datetime
) -> Notice:
    identity = _identity(news.type, attempt, stack)
    document: dict[str, Json] = {
        "format": FORMAT,
        "id": identity,
        "type": news.type.value,
        "time": rfc3339_seconds(now),
        "stack": stack.name,
        "job": attempt.key.job,
        "attempt": attempt.key.attempt,
        "phase": news.phase.value,
        "state": _line(attempt.state),
        "remote": _line(attempt.remote),
        "provider": _line(job.provider if job else None),
        "model": _line(job.model if job else None),
        "rows": _rows(attempt.rows),
        "reason": _line(news.reason),
        "reasonCode": None if news.code is None else news.code.value,
    }
    return Notice(identity, hook.name, attempt.key.job, attempt.key.attempt, news.type, now, json.dumps(document))


def _rows(rows: RowCounts) -> dict[str, Json]:
    verdicts = {code: rows.verdicts[code] for code in sorted(rows.verdicts)}
    return {"total": rows.total, "ok": rows.ok, "failed": rows.failed, "verdicts": verdicts or None}


def _identity(kind: NoticeType, attempt: RecordedAttempt, stack: Stack) -> str:
    """The id of an event, which never changes.

    The attempt's token is in it, because a job that was removed may come back under its name.
    """
    made = attempt.token or attempt.remote
    parts = [stack.uid, made, attempt.key.attempt, attempt.key.shard, kind.value]
    return f"evt_{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_ID_LENGTH]}"


def _line(text: str | None) -> str | None:
    """A text from outside as one line that can be shown anywhere; None for nothing."""
    seen = "".join(char if char.isprintable() else " " for char in (text or "")[: 2 * MESSAGE_LIMIT])
    line = " ".join(seen.split())
    return cut(line) or None
