"""Explains a job: its conditions, its last error and its next step.

Decides nothing: every fact comes from the plan, the manifest or the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind
from batchctl.model.attempts import Trouble
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Timer
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import BatchctlError
from batchctl.model.events import Bearing, Event
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedJob
from batchctl.model.rows_left import RowNext, RowsLeft
from batchctl.model.states import FAILED_PHASES, Phase
from batchctl.report.forecast import stuck_way_out
from batchctl.report.layout import count


class ConditionType(StrEnum):
    """The kinds of conditions."""

    DEPENDENCIES = "Dependencies"
    """It waits for other jobs."""
    SUSPENDED = "Suspended"
    QUEUED = "Queued"
    BACKOFF = "BackOff"
    DEADLINE = "Deadline"
    SETTLING = "Settling"
    MISSING = "Missing"
    """Its remote job is missing, and a second check has yet to confirm that."""
    TTL = "TtlAfterFinished"
    CANCELLING = "Cancelling"
    GUARDED = "Guarded"
    UNSEEN = "Unseen"
    """Its account cannot be read."""
    RETRY_ORDERED = "RetryOrdered"
    CANCEL_ORDERED = "CancelOrdered"
    STUCK = "Stuck"
    """It has been pending or running for far longer than others."""


class Condition(Struct, frozen=True):
    """A condition of a job."""

    type: ConditionType
    message: str
    until: datetime | None = None
    """The time at which it ends by itself; None: an event or a person ends it."""


class LastError(Struct, frozen=True):
    """The last error, with the way out."""

    code: str | None
    """A code of batchctl; None for an error of the API's job."""
    message: str
    way_out: str
    time: datetime | None = None
    trouble: Trouble | None = None
    """The course of the error, if it is known."""


class JobCase(Struct, frozen=True):
    """All facts for the explanation of one job."""

    stack: str
    plan: JobPlan
    desired: DesiredJob | None = None
    recorded: RecordedJob | None = None
    is_stack_suspended: bool = False
    problem: BatchctlError | None = None
    """Why its account cannot be read in full."""
    events: tuple[Event, ...] = ()
    """Oldest first."""
    poll_within: timedelta = timedelta(0)
    """The longest time until a `watch` with default options checks the job again."""
    now: datetime | None = None
    """The time at its account; None if it is not known."""
    left: RowsLeft | None = None
    """Its rows without a good answer; None if it has no results yet, or batchctl does not have its rows."""
    results_attempt: int | None = None
    """The attempt with the results so far; None: the current one."""


_TIMERS: Mapping[Timer, tuple[ConditionType, str, str]] = {
    Timer.BACKOFF: (ConditionType.BACKOFF, "the next attempt waits for its back-off", "a new attempt is created"),
    Timer.DEADLINE: (ConditionType.DEADLINE, "it has a deadline", "it is cancelled at its deadline"),
    Timer.SETTLING: (
        ConditionType.SETTLING,
        "it is not known whether its create call made a job; batchctl searches for its mark",
        "if its mark is not found, the create call is sent with the same token",
    ),
    Timer.MISSING: (
        ConditionType.MISSING,
        "its remote job is missing; batchctl checks once more before it counts as gone",
        "batchctl checks once more whether it is gone",
    ),
    Timer.TTL: (
        ConditionType.TTL,
        "its remote job is kept for a while",
        "the remote job is deleted; collected results stay",
    ),
    Timer.CANCEL: (ConditionType.CANCELLING, "a cancel was sent", "if it is still active, the cancel is sent again"),
    Timer.ADMISSION: (
        ConditionType.QUEUED,
        "it waits for capacity on its account",
        "batchctl checks again whether there is capacity",
    ),
}
"""For each timer: the condition while it runs, and the step at its end."""

_NEXT: Mapping[Action, str] = {
    Action.CREATE: "the next pass creates it",
    Action.ADOPT: "the next pass adopts the remote job",
    Action.REUSE: "the next pass reuses the existing results",
    Action.RETRY: "the next pass creates a new attempt",
    Action.REPLACE: "the next pass continues the replacement",
    Action.UPDATE: "the next pass records the changed settings",
    Action.CANCEL: "the next pass sends the cancel",
    Action.DELETE: "the next pass continues the removal",
    Action.FORGET: "the next pass deletes its record",
    Action.COLLECT: "the next pass collects its results",
}

_BY_APPLY: Mapping[Action, str] = {
    Action.CREATE: "creates it",
    Action.ADOPT: "adopts the remote job",
    Action.REUSE: "reuses the existing results",
    Action.RETRY: "creates a new attempt",
    Action.REPLACE: "replaces it",
    Action.UPDATE: "records the changed settings",
    Action.CANCEL: "cancels it",
    Action.DELETE: "deletes it",
    Action.FORGET: "deletes its record",
}
"""The step of an action that needs consent."""


def conditions(case: JobCase) -> tuple[Condition, ...]:
    """The conditions of the job."""
    return tuple(_conditions(case))


def _conditions(case: JobCase) -> Iterator[Condition]:
    plan = case.plan
    if plan.waits_for:
        names = ", ".join(plan.waits_for)
        words = f"blocked by {names}: it needs a change" if plan.blocked else f"waits for {names}"
        yield Condition(ConditionType.DEPENDENCIES, words)
    own = case.desired is not None and case.desired.lifecycle.suspend
    if case.is_stack_suspended or own:
        whose = "the stack's" if case.is_stack_suspended else "its own"
        yield Condition(ConditionType.SUSPENDED, f"{whose} suspend stops creates and retries")
    if plan.queue is not None:
        place = plan.queue
        used = f"about {place.used}" if place.is_estimate else f"{place.used}"
        words = f"{place.position} of {place.length} in the queue; {place.limit}: {used} of {place.most} used"
        if place.limit is LimitKind.STALL:
            words = f"{place.position} of {place.length} in the queue; {used} jobs wait at the API and none begins"
        yield Condition(ConditionType.QUEUED, words, plan.next_time if plan.timer is Timer.ADMISSION else None)
    elif plan.timer is not None:
        type_, words, _ = _TIMERS[plan.timer]
        yield Condition(type_, words, plan.next_time)
    if plan.guard is not None:
        words = f"{plan.guard.code}: {plan.guard.message} ({plan.guard.way_out})"
        yield Condition(ConditionType.GUARDED, words)
    if case.problem is not None:
        yield Condition(ConditionType.UNSEEN, f"{case.problem.code}: {case.problem.message}")
    if plan.forecast is not None and plan.forecast.stuck is not None:
        yield Condition(ConditionType.STUCK, f"{plan.forecast.stuck.words}; {stuck_way_out(plan)}")
    yield from _orders(case)


def _orders(case: JobCase) -> Iterator[Condition]:
    """The orders of a person."""
    if case.recorded is not None and case.recorded.row.retry_requested is not None:
        rows = case.recorded.row.retry_rows
        command = "`batchctl retry`" if rows is None else f"`batchctl retry --rows {rows}`"
        yield Condition(ConditionType.RETRY_ORDERED, f"{command} asked for a new attempt")
    if case.recorded is not None and case.recorded.row.cancel_requested is not None:
        yield Condition(ConditionType.CANCEL_ORDERED, "`batchctl cancel` stopped it: it is not retried")


def next_step(case: JobCase) -> str:
    """The next step, in words."""
    plan = case.plan
    if plan.guard is not None:
        allowed = f"until you allow it with {plan.guard.way_out}"
        return f"the present job is followed; nothing else {allowed}" if plan.unfinished else f"nothing, {allowed}"
    if plan.needs_consent and plan.action in _BY_APPLY:
        return f"nothing, until `batchctl apply` {_BY_APPLY[plan.action]}"
    if plan.action in _NEXT:
        return f"{_NEXT[plan.action]}{_rows_again(case)}" if plan.action is Action.RETRY else _NEXT[plan.action]
    if plan.timer is not None:
        _, _, words = _TIMERS[plan.timer]
        words += _rows_again(case) if plan.timer is Timer.BACKOFF else ""
        return f"{_at_its_end(plan)}; else {words}" if plan.phase is Phase.ACTIVE else words
    return _next_without_time(case)


def _at_its_end(plan: JobPlan) -> str:
    """The step at the end of an attempt that is at work."""
    attempt = plan.attempt
    words = "when it ends, its results are collected"
    if attempt is None or not attempt.is_canary or attempt.sent is None:
        return words
    return f"{words}; they decide whether the other {count(attempt.sent.total - attempt.sent.rows, 'row')} follow"


def _rows_again(case: JobCase) -> str:
    """The rows of the next attempt, if they are known."""
    number = 0 if case.left is None else case.left.counts.get(RowNext.AGAIN, 0)
    if case.left is None or not number:
        return ""
    names = [one.name for one in case.left.first if one.next is RowNext.AGAIN]
    listed = f": {', '.join(names)}" if len(names) == number else ""
    return f"; it sends {count(number, 'row')} again{listed}"


def _next_without_time(case: JobCase) -> str:
    plan = case.plan
    if plan.waits_for:
        return _after_others(plan)
    if plan.queue is not None:
        return "it is created when there is capacity"
    if plan.action is Action.NONE:
        return _at_rest(case)
    match plan.phase:
        case Phase.WAITING:
            return "nothing, until the condition above ends"
        case Phase.ACTIVE:
            return _at_its_end(plan)
        case Phase.CANCELLING | Phase.REMOVING:
            return "it goes on when the remote job has ended"
        case _:
            return "batchctl checks it again"


def _at_rest(case: JobCase) -> str:
    plan, failed = case.plan, 0 if case.left is None else case.left.failed
    if plan.code is Reason.CANARY_FAILED:
        return f"nothing, until its manifest or its rows change, or `batchctl retry {plan.job}` is run"
    if plan.phase in FAILED_PHASES:
        return _way_on(plan)
    return f"nothing: {count(failed, 'row')} without a good answer" if failed else "nothing: it is done"


def _after_others(plan: JobPlan) -> str:
    names = ", ".join(plan.waits_for)
    if plan.blocked:
        return f"nothing, until {names} is fixed"
    if plan.code is Reason.ROWS_AWAITED:
        return f"its rows are made again when {names} has succeeded; it is replaced only if they have changed"
    return f"it is created when {names} has succeeded"


def _way_on(plan: JobPlan) -> str:
    return f"nothing, until its manifest changes or `batchctl retry {plan.job}` is run"


def last_error(case: JobCase) -> LastError | None:
    """The last error, unless progress followed it."""
    if case.problem is not None:
        return LastError(case.problem.code, case.problem.message, case.problem.hint)
    trouble = case.plan.attempt.trouble if case.plan.attempt is not None else None
    if trouble is not None:
        # The way out that was given with the error.
        return LastError(trouble.code, trouble.message, trouble.hint, trouble.last_time, trouble)
    event = _last_error_event(case.events)
    if event is not None:
        known = {one.value: one for one in ErrorCode}.get(event.code or "")
        return LastError(event.code, event.why, "" if known is None else known.way_out, event.time)
    attempt = case.plan.attempt
    if attempt is None or attempt.error is None:
        return None
    return LastError(None, attempt.error.message, f"`batchctl retry {case.plan.job}`, or change its manifest")


def _last_error_event(events: Iterable[Event]) -> Event | None:
    for event in reversed(tuple(events)):
        if event.bearing is Bearing.FAILURE:
            return event
        if event.bearing is Bearing.PROGRESS:
            return None
    return None
