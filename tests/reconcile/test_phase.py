"""The phase of a job: one function, one table, and everybody who shows or tells a phase agrees with it."""

from __future__ import annotations

import json

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.notices import Webhook
from batchctl.model.observed import RowCounts
from batchctl.model.states import Phase
from batchctl.reconcile import Options, end_notices, phase_on_record
from batchctl.reconcile.view.phases import PhaseFacts, phase_of
from tests.support.decisions import (
    HOUR,
    LOCAL,
    NOW,
    STACK,
    attempt,
    collected,
    decide,
    job,
    look,
    row,
    seen,
    unanswered,
)
from tests.support.values import replace

UNSENT = attempt(1, None, remote=None)
REFUSED = attempt(1, None, remote=None, rejected=True)
ALL_FAILED = collected(rows=RowCounts(10, 0, 10))
GONE = attempt(gone_time=NOW)


def stopped(cause: CancelCause, state: str = "RUNNING", **fields: object) -> RecordedAttempt:
    return attempt(1, state, cancel_time=NOW - HOUR, cancel_cause=cause, **fields)


TABLE = [
    # nothing was made yet
    (PhaseFacts(), Phase.WAITING),
    (PhaseFacts(is_hidden=True), Phase.UNKNOWN),
    (PhaseFacts(is_removing=True), Phase.REMOVING),
    (PhaseFacts(UNSENT), Phase.WAITING),
    (PhaseFacts(UNSENT, is_hidden=True), Phase.WAITING),
    (PhaseFacts(UNSENT, is_called_off=True), Phase.CANCELLED),
    (PhaseFacts(UNSENT, is_removing=True), Phase.REMOVING),
    (PhaseFacts(REFUSED), Phase.REJECTED),
    (PhaseFacts(REFUSED, is_called_off=True), Phase.REJECTED),
    # nobody knows whether it was
    (PhaseFacts(unanswered()), Phase.SETTLING),
    (PhaseFacts(unanswered(), is_hidden=True), Phase.SETTLING),
    (PhaseFacts(unanswered(), is_called_off=True), Phase.SETTLING),
    (PhaseFacts(unanswered(), is_removing=True), Phase.SETTLING),
    # it works
    (PhaseFacts(attempt(1, "QUEUED")), Phase.ACTIVE),
    (PhaseFacts(attempt(1, "PENDING")), Phase.ACTIVE),
    (PhaseFacts(attempt()), Phase.ACTIVE),
    (PhaseFacts(attempt(), is_hidden=True), Phase.UNKNOWN),
    (PhaseFacts(attempt(1, "PAUSED")), Phase.UNKNOWN),
    (PhaseFacts(attempt(1, "BREWING")), Phase.UNKNOWN),
    # it is being stopped: by us, by order, by somebody else
    *((PhaseFacts(stopped(cause)), Phase.CANCELLING) for cause in CancelCause),
    (PhaseFacts(stopped(CancelCause.USER), is_hidden=True), Phase.UNKNOWN),
    (PhaseFacts(stopped(CancelCause.USER, "PAUSED")), Phase.UNKNOWN),
    (PhaseFacts(attempt(), is_called_off=True), Phase.CANCELLING),
    (PhaseFacts(attempt(1, "CANCELLING")), Phase.CANCELLING),
    # it is being removed, however far that is
    (PhaseFacts(attempt(), is_removing=True), Phase.REMOVING),
    (PhaseFacts(stopped(CancelCause.REMOVE), is_removing=True), Phase.REMOVING),
    (PhaseFacts(attempt(), is_hidden=True, is_removing=True), Phase.REMOVING),
    (PhaseFacts(collected(), is_removing=True), Phase.REMOVING),
    # it ended
    (PhaseFacts(attempt(1, "SUCCEEDED")), Phase.SUCCEEDED),
    (PhaseFacts(collected()), Phase.SUCCEEDED),
    (PhaseFacts(collected(), is_hidden=True), Phase.SUCCEEDED),
    (PhaseFacts(collected(1, "PARTIALLY_SUCCEEDED")), Phase.PARTIALLY_SUCCEEDED),
    (PhaseFacts(ALL_FAILED), Phase.FAILED),
    (PhaseFacts(attempt(1, "FAILED")), Phase.FAILED),
    (PhaseFacts(attempt(1, "FAILED"), is_hidden=True), Phase.FAILED),
    (PhaseFacts(attempt(1, "FAILED"), is_called_off=True), Phase.FAILED),
    (PhaseFacts(attempt(1, "EXPIRED")), Phase.EXPIRED),
    (PhaseFacts(attempt(1, "CANCELLED")), Phase.CANCELLED),
    # it ended because it was stopped, whatever the API calls that
    *(
        (PhaseFacts(stopped(cause, state)), Phase.FAILED if cause is CancelCause.DEADLINE else Phase.CANCELLED)
        for cause in CancelCause
        for state in ("CANCELLED", "FAILED")
    ),
    (PhaseFacts(stopped(CancelCause.USER, "SUCCEEDED")), Phase.SUCCEEDED),
    # it is gone
    (PhaseFacts(GONE), Phase.FAILED),
    (PhaseFacts(GONE, is_called_off=True), Phase.CANCELLED),
    (PhaseFacts(stopped(CancelCause.USER, gone_time=NOW)), Phase.CANCELLED),
    (PhaseFacts(stopped(CancelCause.DEADLINE, gone_time=NOW)), Phase.FAILED),
    (PhaseFacts(collected(gone_time=NOW)), Phase.SUCCEEDED),
    (PhaseFacts(attempt(1, "SUCCEEDED", gone_time=NOW)), Phase.RESULTS_LOST),
    (PhaseFacts(attempt(1, "SUCCEEDED", results_lost=True)), Phase.RESULTS_LOST),
    (PhaseFacts(attempt(1, "SUCCEEDED", delete_time=NOW)), Phase.SUCCEEDED),
    (PhaseFacts(attempt(1, "SUCCEEDED", delete_time=NOW, gone_time=NOW)), Phase.SUCCEEDED),
    (PhaseFacts(attempt(1, "FAILED", gone_time=NOW)), Phase.FAILED),
]


@pytest.mark.parametrize(("facts", "phase"), TABLE)
def test_the_phase(facts: PhaseFacts, phase: Phase) -> None:
    assert phase_of(facts) is phase


def test_every_phase_is_in_the_table() -> None:
    # What a job depends on makes it Blocked, and no attempt of its own.
    assert {phase for _, phase in TABLE} | {Phase.BLOCKED} == set(Phase)


HOOKED = replace(STACK, notify=(Webhook("ops", "https://example.com/hook", "SECRET"),))


@pytest.mark.parametrize(
    ("record", "fields", "phase"),
    [
        (stopped(CancelCause.USER, "FAILED"), {"cancel_requested": LOCAL}, "Cancelled"),
        (stopped(CancelCause.USER, "CANCELLED"), {"cancel_requested": LOCAL}, "Cancelled"),
        (stopped(CancelCause.USER, "EXPIRED"), {"cancel_requested": LOCAL}, "Cancelled"),
        (stopped(CancelCause.DEADLINE, "CANCELLED"), {}, "Failed"),
        (attempt(1, "CANCELLED"), {}, "Cancelled"),
        (attempt(1, "FAILED"), {}, "Failed"),
        (attempt(1, "FAILED"), {"cancel_requested": LOCAL}, "Failed"),
        (attempt(1, "EXPIRED"), {}, "Expired"),
        (collected(), {}, "Succeeded"),
        (collected(1, "PARTIALLY_SUCCEEDED"), {}, "PartiallySucceeded"),
        (ALL_FAILED, {}, "Failed"),
        (GONE, {}, "Failed"),
        (GONE, {"cancel_requested": LOCAL}, "Cancelled"),
        (attempt(1, "SUCCEEDED", gone_time=NOW), {}, "ResultsLost"),
        (attempt(1, "SUCCEEDED", results_lost=True), {}, "ResultsLost"),
        (attempt(1, "SUCCEEDED", delete_time=NOW, gone_time=NOW), {}, "Succeeded"),
        (REFUSED, {}, "Rejected"),
    ],
)
def test_the_event_the_state_and_the_plan_say_the_same(
    record: RecordedAttempt, fields: dict[str, object], phase: str
) -> None:
    recorded = row(job(), record, **fields)
    shown = [] if record.is_gone or record.remote is None else [seen(record)]

    [event] = end_notices(attempt(), record, recorded.row, HOOKED, LOCAL)
    [planned] = decide([job()], [recorded], [look(*shown)]).jobs
    [ordered] = decide([job()], [recorded], [look(*shown)], Options(cancel=True)).jobs

    told = json.loads(event.body)["phase"]
    assert (told, phase_on_record(recorded), planned.phase, ordered.phase) == (phase,) * 4
