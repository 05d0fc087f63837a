"""Which rows a new attempt sends, and which jobs are compared with their ledger."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.lifecycle import Lifecycle, OnChange
from batchctl.model.observed import RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded
from batchctl.model.row_hashes import BEYOND
from batchctl.model.row_settings import Canary, RowSettings
from batchctl.model.row_work import RowChoice, RowsToSend, RowWork
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.states import Phase
from batchctl.model.steps import Assemble, Create
from batchctl.reconcile import Options, Scope, choice_of_rows, next_choice, rows_to_survey
from tests.support.decisions import (
    STACK,
    Situation,
    attempt,
    collected,
    job,
    look,
    row,
    seen,
    unanswered,
    with_row,
    with_rows,
)
from tests.support.job_plans import job_plan
from tests.support.values import replace

CHANGED = RowWork(1000, 990, 10, 0, 10, first=("k1", "k2"))
DONE = RowWork(1000, 1000, 0, 0, 0)


def wanted(**fields: object) -> DesiredJob:
    return replace(job(), source=InlineRows((RequestRow(None, {}),) * 1000), **fields)


def changed(work: RowWork, old: RecordedAttempt | None = None, **fields: object) -> Situation:
    """Work that changed since an attempt was collected."""
    done = old or collected(work="2")
    manifest = wanted(**fields)
    return Situation(manifest, row(manifest, done), look(seen(done)), inventory=with_rows(work, done))


def choices(made: Situation) -> list[RowChoice]:
    (plan,) = made.decide().jobs
    return [step.rows for step in plan.steps if isinstance(step, Create)]


def test_only_rows_without_a_good_answer_are_sent() -> None:
    (plan,) = changed(CHANGED).decide().jobs
    assert (plan.action, plan.code, plan.size.rows) == (Action.REPLACE, Reason.WORK_CHANGED, 10)
    assert "10 of 1,000 rows to send, 990 reused (to send: k1, k2 and 8 more)" in plan.reason
    assert choices(changed(CHANGED)) == [RowChoice()]


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (RowWork(9, 0, 9, 0, 9, first=("k1",)), None),
        (RowWork(9, 7, 2, 1, 1, first=("a", "b")), "2 of 9 rows to send, 7 reused, 1 retried (to send: a, b)"),
        (
            RowWork(9, 0, 3, 0, 3, repeated=6, first=("a", "b", "c")),
            "3 of 9 rows to send, 6 repeat another row (to send: a, b, c)",
        ),
    ],
)
def test_the_reason_counts_the_rows(work: RowWork, words: str | None) -> None:
    (plan,) = changed(work).decide().jobs
    assert plan.reason == "its work changed" if words is None else plan.reason.endswith(f"; {words}")


@pytest.mark.parametrize(
    ("work", "fields", "detail"),
    [
        (CHANGED, {}, ""),
        (DONE, {}, ""),
        (RowWork(1000, 0, 1000, 0, 1000, first=("k1",)), {}, BEYOND),
        (CHANGED, {"lifecycle": Lifecycle(on_change=OnChange.FAIL)}, BEYOND),
    ],
    ids=["some rows are sent", "no row is sent", "all rows are sent", "no row is named"],
)
def test_that_the_changed_rows_are_not_known_is_said_where_no_rows_are_named(
    work: RowWork, fields: dict[str, object], detail: str
) -> None:
    trees = [{"source": {"rows": 1000, "sha256": digit * 64}} for digit in "12"]
    done = replace(collected(work="2"), tree=trees[0])
    (plan,) = changed(work, done, tree=trees[1], **fields).decide().jobs
    assert [(change.path, change.detail) for change in plan.changes] == [("spec.src", detail)]


def test_nothing_is_bought_when_every_row_has_a_good_answer() -> None:
    (plan,) = changed(DONE).decide().jobs
    assert (plan.action, plan.code, plan.needs_consent) == (Action.REPLACE, Reason.ROWS_ANSWERED, True)
    assert [step.rows for step in plan.steps if isinstance(step, Assemble)] == [RowChoice()]
    assert choices(changed(DONE)) == []
    (plan,) = Situation(wanted(), inventory=with_rows(DONE)).decide().jobs
    assert (plan.action, plan.code, plan.needs_consent) == (Action.REUSE, Reason.ROWS_ANSWERED, False)


def test_a_call_that_is_sent_again_keeps_its_list() -> None:
    lost = unanswered(work="1")
    manifest = wanted()
    (plan,) = Situation(manifest, row(manifest, lost), look(), inventory=with_rows(DONE)).decide().jobs
    assert not [step for step in plan.steps if isinstance(step, Assemble)]


def test_rows_reuse_false_sends_all() -> None:
    made = changed(CHANGED, row_settings=RowSettings(reuse=False))
    assert choices(made) == [RowChoice(RowsToSend.ALL)]


def test_a_rerun_sends_all_and_later_attempts_forget_earlier_answers() -> None:
    done = collected()
    manifest = wanted()
    made = Situation(manifest, row(manifest, done), look(seen(done)), inventory=with_rows(DONE, done))
    (plan,) = replace(made, options=Options(Scope(names=frozenset({"a"})), rerun=frozenset({"a"}))).decide().jobs
    assert (plan.code, plan.decision.rows_since) == (Reason.RERUN_ORDERED, 2)
    assert [step.rows.which for step in plan.steps if isinstance(step, Create)] == [RowsToSend.ALL]


@pytest.mark.parametrize(
    ("fields", "which", "since"),
    [({"remote": None}, RowsToSend.ALL, 2), ({"rows": RowCounts(10, 0, 10)}, RowsToSend.UNANSWERED, None)],
    ids=["reused results are bought", "failed rows are sent again"],
)
def test_a_retry_that_a_person_orders(fields: dict[str, object], which: RowsToSend, since: int | None) -> None:
    done = collected(**fields)
    manifest = wanted()
    shown = () if done.remote is None else (seen(done),)
    record = with_row(row(manifest, done), retry_requested=done.create_time)
    (plan,) = Situation(manifest, record, look(*shown), inventory=with_rows(CHANGED, done)).decide().jobs
    assert plan.code is Reason.RETRY_ORDERED
    assert [step.rows.which for step in plan.steps if isinstance(step, Create)] == [which]
    assert plan.decision.rows_since == since


@pytest.mark.parametrize(
    ("recorded", "fields", "surveyed"),
    [
        (None, {}, True),
        (None, {"row_settings": RowSettings(reuse=False)}, False),
        (attempt(), {}, False),
        (attempt(work="2"), {}, True),
        (attempt(state=None, remote=None), {}, True),
        (collected(), {}, False),
        (collected(rows=RowCounts(10, 9, 1)), {}, True),
        (collected(results=None), {}, True),
    ],
    ids=[
        "new",
        "without reuse",
        "works",
        "changed",
        "not sent yet",
        "all rows are good",
        "a row failed",
        "not collected",
    ],
)
def test_only_jobs_whose_rows_may_be_sent_are_compared_with_their_ledger(
    recorded: RecordedAttempt | None, fields: dict[str, object], surveyed: bool
) -> None:
    manifest = wanted(**fields)
    records = {} if recorded is None else {"a": row(manifest, recorded)}
    found = list(rows_to_survey(DesiredStack(STACK, (manifest,)), Recorded(records), Options()))
    assert found == [(manifest, RowChoice())] * surveyed


def test_the_settings_of_a_removed_manifest_are_those_of_the_state() -> None:
    record = row(wanted(), rows_since=3, row_settings=RowSettings(max_attempts=7))
    assert choice_of_rows(None, record.row) == RowChoice(most_tries=7, since=3)
    assert choice_of_rows(None, None) == RowChoice()


def test_a_canary_of_other_work_does_not_count() -> None:
    made = changed(RowWork(1000, 0, 1000, 0, 1000), canary=Canary())
    assert [choice.most for choice in choices(made)] == [50]


@pytest.mark.parametrize("retry_on", [frozenset({"FAILED"}), frozenset({"ROWS"})])
def test_the_rows_of_the_next_attempt_are_known_before_it_is_due(retry_on: frozenset[str]) -> None:
    manifest = wanted(lifecycle=Lifecycle(retry_on=retry_on))
    waiting = job_plan("a", Action.WAIT, Phase.WAITING, Reason.BACK_OFF, "")
    at_rest = job_plan("a", Action.NONE, Phase.SUCCEEDED, Reason.SUCCEEDED, "")
    assert next_choice(waiting, manifest, None) == (RowChoice(RowsToSend.RETRYABLE), "ROWS" in retry_on)
    assert next_choice(at_rest, manifest, None) == (RowChoice(RowsToSend.RETRYABLE), False)


def test_a_create_call_has_the_rows_of_the_next_attempt() -> None:
    (plan,) = changed(CHANGED).decide().jobs
    assert next_choice(plan, wanted(), None) == (RowChoice(), True)
