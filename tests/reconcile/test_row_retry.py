"""`retryOn: [ROWS]`: rows without a good answer are sent again, and others are not."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.decision import Timer
from batchctl.model.observed import RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowChoice, RowsToSend, RowWork
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.states import Phase
from batchctl.model.steps import Create
from batchctl.reconcile import Options, Scope
from batchctl.reconcile.calls.backoff import delay
from tests.support.decisions import (
    MINUTE,
    NOW,
    SECOND,
    Situation,
    attempt,
    collected,
    job,
    look,
    ordered,
    row,
    seen,
    with_row,
    with_rows,
)
from tests.support.values import replace

PART = RowCounts(10, 7, 3)
WORK = RowWork(10, 7, 3, 3, 2, first=("k1", "k2", "k3"))


def failed(
    *before: RecordedAttempt, work: RowWork = WORK, retry_on: tuple[str, ...] = ("ROWS",), **fields: object
) -> Situation:
    """An attempt of which three rows failed, and two may pass."""
    done = collected(len(before) + 1, **{"rows": PART, **fields})
    wanted = replace(job(retry_on=frozenset(retry_on)), source=InlineRows((RequestRow(None, {}),) * 10))
    every = (*before, done)
    return Situation(wanted, row(wanted, *every), look(*map(seen, every)), inventory=with_rows(work, *every))


def test_rows_that_may_pass_are_sent_again() -> None:
    (plan,) = failed().decide().jobs
    assert (plan.action, plan.phase, plan.code) == (Action.RETRY, Phase.WAITING, Reason.ROWS_RETRIED)
    assert [step.rows for step in plan.steps if isinstance(step, Create)] == [RowChoice(RowsToSend.RETRYABLE)]
    assert (plan.needs_consent, plan.size.rows) == (False, 2)
    assert plan.reason == "3 of 10 rows failed; 2 rows are sent again, 1 is not"


@pytest.mark.parametrize(
    "made",
    [
        failed(retry_on=()),
        failed(work=RowWork(10, 7, 3, 3, 0)),
        failed(rows=RowCounts(10, 10, 0)),
        ordered(failed()),
        failed(state="CANCELLED"),
        failed(state="FAILED", rows=RowCounts(10, 0, 10)),
    ],
    ids=[
        "not asked for",
        "no row may pass",
        "all rows are good",
        "the user cancelled it",
        "cancelled outside of batchctl",
        "failed without a good row",
    ],
)
def test_rows_are_not_sent_again(made: Situation) -> None:
    (plan,) = made.decide().jobs
    assert plan.code is not Reason.ROWS_RETRIED


@pytest.mark.parametrize(
    "made",
    [
        failed(state="CANCELLED", cancel_cause=CancelCause.DEADLINE),
        failed(state="CANCELLED", retry_on=("ROWS", "CANCELLED")),
        failed(state="EXPIRED"),
        failed(state="SUCCEEDED", rows=RowCounts(10, 0, 10)),
    ],
    ids=["cancelled at its deadline", "retryOn names CANCELLED", "expired", "succeeded without a good row"],
)
def test_attempts_that_gave_results_are_followed(made: Situation) -> None:
    (plan,) = made.decide().jobs
    assert plan.code is Reason.ROWS_RETRIED


def test_a_suspended_job_waits() -> None:
    (plan,) = replace(failed(), suspended=True).decide().jobs
    assert (plan.action, plan.code) == (Action.WAIT, Reason.SUSPENDED)
    assert "otherwise 2 rows are sent again" in plan.reason


def test_the_pause_grows_with_the_attempts_that_gave_results() -> None:
    ended = NOW - SECOND
    (first,) = failed(end_time=ended).decide().jobs
    assert (first.action, first.code, first.decision.timer) == (Action.WAIT, Reason.BACK_OFF, Timer.BACKOFF)
    before = (collected(1, rows=PART), attempt(2, "FAILED"), collected(3, rows=PART))
    (third,) = failed(*before, end_time=ended).decide().jobs
    assert first.decision.next_time is not None
    assert third.decision.next_time is not None
    assert third.decision.next_time - ended > 2 * (first.decision.next_time - ended)


def test_without_a_known_end_there_is_no_pause() -> None:
    (plan,) = failed(end_time=None, create_time=None, start_time=None).decide().jobs
    assert plan.code is Reason.ROWS_RETRIED


def test_an_earlier_time_replaces_an_unknown_end() -> None:
    (plan,) = failed(end_time=None, cancel_time=None, create_time=NOW - SECOND).decide().jobs
    assert (plan.code, plan.decision.next_time is not None) == (Reason.BACK_OFF, True)
    assert plan.decision.next_time is not None
    assert plan.decision.next_time < NOW + 60 * MINUTE


def test_a_job_that_is_only_cancelled_has_no_retry() -> None:
    made = failed()
    (plan,) = replace(made, wanted=None, options=Options(Scope(names=frozenset({"a"})))).decide().jobs
    assert plan.code is not Reason.ROWS_RETRIED


def test_the_pause_is_over_at_its_end_and_not_before() -> None:
    pause = delay(1, collected(1).token)
    (over,) = failed(end_time=NOW - pause).decide().jobs
    assert over.code is Reason.ROWS_RETRIED
    (before,) = failed(end_time=NOW - pause + SECOND / 1000).decide().jobs
    assert before.code is Reason.BACK_OFF


def test_only_answers_since_the_last_rerun_count() -> None:
    made = failed()
    assert made.record is not None
    (plan,) = replace(made, record=with_row(made.record, rows_since=2)).decide().jobs
    assert [step.rows.since for step in plan.steps if isinstance(step, Create)] == [2]
