"""Rows at Cloud Storage: when a source is sent as it is, and when its rows are read."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.observed import RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded
from batchctl.model.row_settings import Canary, RowSettings
from batchctl.model.row_work import RowChoice, RowOrder, RowsSent, RowsToSend, RowWork, ShardLimits
from batchctl.model.sources import RemoteSource
from batchctl.model.states import JobState
from batchctl.model.steps import Assemble, Create
from batchctl.reconcile import Options, Scope, rows_to_survey
from tests.support.decisions import (
    HOUR,
    LOCAL,
    STACK,
    Situation,
    attempt,
    collected,
    job,
    kept,
    look,
    row,
    seen,
    unanswered,
    with_row,
    with_rows,
)
from tests.support.values import replace

READ = "; its rows are read when they are sent: those with a good answer are not bought again"
SPLIT = "; its rows are read and split when they are sent"
AS_IT_IS = RowChoice(as_it_is=True)
SOME = RowCounts(10, 8, 2)


def wanted(**fields: object) -> DesiredJob:
    return replace(job(), source=RemoteSource(("gs://b/in.jsonl",), is_divisible=True), **fields)


def choices(made: Situation) -> list[RowChoice]:
    (plan,) = made.decide().jobs
    return [step.rows for step in plan.steps if isinstance(step, Create)]


def after(done: RecordedAttempt, known: RowWork | None = None, **fields: object) -> Situation:
    """A job with an attempt before."""
    manifest = wanted(**fields)
    inventory = kept(done) if known is None else with_rows(known, done)
    return Situation(manifest, row(manifest, done), look(seen(done)), inventory=inventory)


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, AS_IT_IS),
        ({"sharding": ShardLimits(rows=200_000)}, AS_IT_IS),
        ({"sharding": ShardLimits(rows=100, is_asked=True)}, RowChoice()),
        ({"canary": Canary(rows=7)}, RowChoice(most=7)),
        ({"row_settings": RowSettings(reuse=False)}, RowChoice(RowsToSend.ALL, as_it_is=True)),
    ],
    ids=["whole", "limits of the provider", "shards", "canary", "without reuse"],
)
def test_the_first_attempt_reads_rows_only_for_shards_and_a_canary(
    fields: dict[str, object], choice: RowChoice
) -> None:
    assert choices(Situation(wanted(**fields))) == [choice]


def test_the_reason_says_that_a_source_is_split() -> None:
    limits = ShardLimits(rows=100, is_asked=True)
    (plan,) = Situation(wanted(sharding=limits)).decide().jobs
    assert plan.reason.endswith(SPLIT)
    (plan,) = after(collected(work="2", rows=RowCounts(10, 0, 10)), sharding=limits).decide().jobs
    assert plan.reason.endswith(SPLIT)


def test_a_canary_has_its_number_of_rows_in_the_plan() -> None:
    (plan,) = Situation(wanted(canary=Canary(rows=7))).decide().jobs
    assert (plan.size.rows, plan.size.bytes) == (7, None)
    assert "canary: 7 rows first" in plan.reason


@pytest.mark.parametrize(
    ("done", "reads"),
    [
        (collected(work="2", rows=SOME, tree={**job().tree, "source": {"uris": ["gs://b/old.jsonl"]}}), True),
        (collected(work="2", rows=SOME, tree={}), True),
        (collected(work="2", rows=RowCounts(10, 0, 10)), False),
        (collected(work="2", rows=SOME, tree={"model": "another"}), False),
        (collected(rows=RowCounts(10, 0, 10), state=JobState.FAILED), False),
    ],
    ids=["another source", "not known", "no good answer", "another model", "failed as a whole"],
)
def test_a_further_attempt_reads_rows_if_some_may_have_an_answer(done: RecordedAttempt, reads: bool) -> None:
    lifecycle = replace(job().lifecycle, backoff_limit=1)
    (plan,) = after(done, lifecycle=lifecycle).decide().jobs
    creates = [step.rows for step in plan.steps if isinstance(step, Create)]
    assert [choice.as_it_is for choice in creates] == [not reads]
    assert plan.reason.endswith(READ) is reads


def test_rows_of_a_rerun_are_not_read() -> None:
    made = after(collected(rows=SOME))
    options = Options(Scope(names=frozenset({"a"})), rerun=frozenset({"a"}))
    assert choices(replace(made, options=options)) == [RowChoice(RowsToSend.ALL, as_it_is=True)]


def test_answers_that_are_collected_first_count() -> None:
    expired = attempt(state=JobState.EXPIRED, end_time=attempt().create_time)
    manifest = wanted()
    record = with_row(row(manifest, expired), retry_requested=expired.create_time)
    (plan,) = Situation(manifest, record, look(seen(expired))).decide().jobs
    assert (plan.code, plan.action) == (Reason.RETRY_ORDERED, Action.RETRY)
    assert [step.rows for step in plan.steps if isinstance(step, Create)] == [RowChoice()]


def test_a_call_that_is_sent_again_sends_the_same() -> None:
    lost = unanswered(first_look=LOCAL - HOUR)
    manifest = wanted()
    assert choices(Situation(manifest, row(manifest, lost), look())) == [AS_IT_IS]
    listed = replace(lost, sent=RowsSent(3, 10, "sum"))
    assert choices(Situation(manifest, row(manifest, listed), look())) == [RowChoice()]


def test_rows_that_are_known_from_their_list_are_counted() -> None:
    work = RowWork(10, 8, 2, 2, 2, first=("k1", "k2"))
    done = collected(rows=SOME)
    lifecycle = replace(job().lifecycle, retry_on=frozenset({"ROWS"}))
    (plan,) = after(done, work, lifecycle=lifecycle).decide().jobs
    assert (plan.action, plan.code) == (Action.RETRY, Reason.ROWS_RETRIED)
    assert (plan.size.rows, plan.work) == (2, work)
    done = replace(done, sent=RowsSent(10, 10, ""))
    ended = after(done, RowWork(10, 10, 0, 0, 0))
    ended = replace(ended, record=with_row(row(wanted(), done), retry_requested=done.create_time))
    (plan,) = ended.decide().jobs
    assert [type(step) for step in plan.steps if isinstance(step, Assemble | Create)] == [Assemble]


def test_a_person_may_name_rows() -> None:
    order = RowOrder(codes=frozenset({"SAFETY"}))
    done = collected(rows=SOME)
    manifest = wanted()
    options = Options(Scope(names=frozenset({"a"})), retry=True, retry_rows=order)
    found = list(rows_to_survey(DesiredStack(STACK, (manifest,)), Recorded({"a": row(manifest, done)}), options))
    assert found == [(manifest, RowChoice(order=order))]


def test_a_source_without_a_staging_bucket_is_never_compared() -> None:
    manifest = replace(wanted(), source=RemoteSource(("gs://b/in.jsonl",)))
    assert list(rows_to_survey(DesiredStack(STACK, (manifest,)), Recorded({}), Options())) == []
    assert choices(Situation(replace(manifest, canary=Canary()))) == [RowChoice()]


@pytest.mark.parametrize("is_divisible", [True, False])
def test_a_retry_of_a_success_needs_a_staging_bucket(is_divisible: bool) -> None:
    """Without one, all rows would be bought again."""
    done = collected(rows=SOME, sent=RowsSent(10, 10, ""))
    manifest = replace(wanted(), source=RemoteSource(("gs://b/in.jsonl",), is_divisible=is_divisible))
    options = Options(Scope(names=frozenset({"a"})), retry=True)
    (plan,) = Situation(manifest, row(manifest, done), look(seen(done)), options, inventory=kept(done)).decide().jobs
    assert (plan.code is Reason.RETRY_REFUSED) is not is_divisible
