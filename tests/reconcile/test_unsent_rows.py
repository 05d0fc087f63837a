"""Rows that no attempt has sent: a job is not complete without them, and rows that were lost are a person's decision."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, MergedResults, RecordedAttempt
from batchctl.model.observed import RowCounts
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import Canary
from batchctl.model.row_work import RowChoice, RowsSent, RowsToSend, RowWork
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.states import Phase
from batchctl.model.steps import Create
from batchctl.reconcile import Options
from batchctl.reconcile.view.shards import combine_attempts
from tests.support.decisions import NOW, Situation, collected, job, look, ordered, row, seen, shard, sharded, with_rows
from tests.support.values import replace

PART = RowCounts(10, 6, 1, {"OK": 6, "SAFETY": 1, "NOT_SENT": 3})
WORK = RowWork(10, 6, 4, 1, 3)
SENT = RowsSent(7, 10, "", verdicts={"OK": 6, "SAFETY": 1})


def part(work: RowWork = WORK, wanted: dict[str, object] | None = None, **fields: object) -> Situation:
    """An attempt that succeeded with seven of ten rows; three have no result of any attempt."""
    done = collected(1, **{"rows": PART, "sent": SENT, **fields})
    manifest = replace(job(), source=InlineRows((RequestRow(None, {}),) * 10), **wanted or {})
    return Situation(manifest, row(manifest, done), look(seen(done)), inventory=with_rows(work, done))


def plan_of(situation: Situation) -> JobPlan:
    (plan,) = situation.decide().jobs
    return plan


def test_rows_that_were_never_sent_are_sent_without_asking_again() -> None:
    plan = plan_of(part())
    assert (plan.action, plan.phase, plan.code) == (Action.CREATE, Phase.WAITING, Reason.ROWS_NOT_SENT)
    assert [step.rows for step in plan.steps if isinstance(step, Create)] == [RowChoice(RowsToSend.NEVER_SENT)]
    assert (plan.needs_consent, plan.size.rows, plan.reason) == (False, 3, "3 of 10 rows have not been sent")


def test_a_suspended_job_does_not_send_them() -> None:
    plan = plan_of(replace(part(), suspended=True))
    assert (plan.action, plan.code) == (Action.WAIT, Reason.SUSPENDED)
    assert plan.reason == "suspended; otherwise they are sent: 3 of 10 rows have not been sent"


@pytest.mark.parametrize(
    "made",
    [
        replace(part(), inventory=None),
        part(work=RowWork(10, 6, 4, 4, 3)),
        ordered(part()),
        part(state="CANCELLED", cancel_cause=CancelCause.USER),
        part(rows=RowCounts(10, 6, 4, {"OK": 6, "SAFETY": 4})),
        part(sent=None),
        part(sent=replace(SENT, again=True)),
        part(sent=replace(SENT, verdicts={"NO_RESULT": 7})),
        replace(part(), inventory=replace(with_rows(WORK), faults={"a/1": "results.jsonl is missing"})),
        replace(part(), wanted=None, options=Options(max_delete=0)),
    ],
    ids=[
        "the folder was not read",
        "all rows have a result",
        "the user cancelled it",
        "it was stopped",
        "no row is left",
        "the list of rows is not known",
        "a person chose the rows",
        "the attempt brought no result",
        "results are missing here",
        "no manifest",
    ],
)
def test_they_are_not_sent(made: Situation) -> None:
    plan = plan_of(made)
    assert plan.code is not Reason.ROWS_NOT_SENT
    assert not any(isinstance(step, Create) for step in plan.steps)


def test_a_success_with_a_part_of_its_rows_is_shown_as_such() -> None:
    plan = plan_of(part(sent=replace(SENT, again=True)))
    assert (plan.phase, plan.reason) == (
        Phase.PARTIALLY_SUCCEEDED,
        "1 of 10 rows failed (1 SAFETY); 3 of 10 rows have no result",
    )


def three(last: RecordedAttempt, **fields: object) -> Situation:
    """Three shards whose results are merged; the last one has none."""
    rows = RowCounts(30, 20, 0, {"OK": 20, "NOT_SENT": 10})
    ten = RowCounts(10, 10, 0, {"OK": 10})
    sent = RowsSent(10, 30, "", verdicts={"OK": 10}, shards=3)
    first = shard(0, "SUCCEEDED", results="a/1.0", rows=ten, sent=sent, merged=MergedResults("a/1", rows))
    shards = first, shard(1, "SUCCEEDED", results="a/1.1", rows=ten, sent=sent), last
    wanted = replace(job(**fields), source=InlineRows((RequestRow(None, {}),) * 30))
    merged = replace(first, results="a/1", remote=None, sent=None)
    made = sharded(*shards, wanted=wanted)
    if last.gone_time is not None:
        made = replace(made, look=replace(made.look, jobs=made.look.jobs[:2]))
    return replace(made, inventory=with_rows(RowWork(30, 20, 10, 0, 10), *shards, merged))


@pytest.mark.parametrize(
    ("last", "is_sent"),
    [
        (shard(2, None, gone_time=NOW), True),
        (shard(2, None, rejected=True), False),
        (shard(2, "SUCCEEDED", results_lost=True), False),
        (shard(2, "SUCCEEDED", gone_time=NOW), False),
        (shard(2, "RUNNING", gone_time=NOW), False),
    ],
    ids=["given up", "refused", "results lost", "gone before it was collected", "missing"],
)
def test_the_rows_of_a_shard(last: RecordedAttempt, *, is_sent: bool) -> None:
    plan = plan_of(three(last))
    assert any(isinstance(step, Create) for step in plan.steps) is is_sent
    assert is_sent or "10 of 30 rows have no result" in plan.reason


@pytest.mark.parametrize(
    ("causes", "state", "cause"),
    [
        ((CancelCause.USER, None), "JOB_STATE_CANCELLED", CancelCause.USER),
        ((CancelCause.DEADLINE, CancelCause.REMOVE), "JOB_STATE_CANCELLED", CancelCause.REMOVE),
        ((CancelCause.DEADLINE, None), "JOB_STATE_PARTIALLY_SUCCEEDED", CancelCause.DEADLINE),
        ((None, None), "JOB_STATE_PARTIALLY_SUCCEEDED", None),
    ],
)
def test_a_job_is_stopped_if_a_shard_was(
    causes: tuple[CancelCause | None, ...], state: str, cause: CancelCause | None
) -> None:
    stopped = [shard(number + 1, "CANCELLED", cancel_cause=one) for number, one in enumerate(causes)]
    found = combine_attempts((shard(0, "SUCCEEDED"), *stopped))
    assert (found.state, found.cancel_cause) == (state, cause)


SMALL = replace(SENT, rows=7)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (part(wanted={"canary": Canary(7)}), Reason.CANARY_FAILED),
        (part(wanted={"canary": Canary(7)}, sent=replace(SENT, verdicts={"OK": 7})), Reason.CANARY_PASSED),
        (part(wanted={"canary": Canary(6)}), Reason.ROWS_NOT_SENT),
        (part(wanted={"canary": Canary(7)}, sent=None), Reason.ROWS_FAILED),
        (part(wanted={"canary": Canary(7)}, sent=replace(SENT, again=True)), Reason.ROWS_FAILED),
        (part(wanted={"canary": Canary(7), "digest": job(work="2").digest}), Reason.WORK_CHANGED),
    ],
    ids=["failed", "passed", "more rows", "not known", "ordered", "other work"],
)
def test_a_part_that_can_only_have_been_the_canary_is_one(made: Situation, code: Reason) -> None:
    assert plan_of(made).code is code
