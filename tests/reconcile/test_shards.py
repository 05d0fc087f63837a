"""An attempt with several shards: each is followed on its own, and the job is judged over all of them."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.admission import AdmissionLimits
from batchctl.model.attempts import Intent, MergedResults, Operation, RecordedAttempt, Trouble
from batchctl.model.decision import Timer
from batchctl.model.desired import DesiredStack
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RowCounts, Status
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.stack import Limits
from batchctl.model.states import Phase
from batchctl.model.steps import Cancel, Collect, Create, Delete, Merge
from batchctl.reconcile import Options, Scope, rows_to_survey
from batchctl.reconcile.notify.notices import end_of
from batchctl.reconcile.view.shards import combine_attempts
from tests.support.decisions import (
    HOUR,
    LOCAL,
    NOW,
    SECOND,
    STACK,
    Situation,
    decide,
    job,
    kept,
    look,
    one,
    row,
    shard,
    sharded,
)
from tests.support.values import replace

TEN = RowCounts(10, 10, 0, {"OK": 10})


def done(number: int, **fields: object) -> RecordedAttempt:
    """A collected shard."""
    return shard(number, "SUCCEEDED", **{"results": f"a/1.{number}", "rows": TEN, **fields})


def merged(ok: int = 30, bad: int = 0) -> tuple[RecordedAttempt, ...]:
    """Three collected shards whose results are merged."""
    rows = RowCounts(30, ok, bad, {"OK": ok, "SAFETY": bad} if bad else {"OK": ok})
    return done(0, merged=MergedResults("a/1", rows)), done(1), done(2)


def whole(situation: Situation, *shards: RecordedAttempt) -> Situation:
    """The situation with the merged results in the results folder."""
    first = replace(shards[0], results="a/1", remote=None)
    return replace(situation, inventory=kept(*shards, first))


def plan_of(*shards: RecordedAttempt, **fields: object) -> JobPlan:
    (plan,) = sharded(*shards, **fields).decide().jobs
    return plan


def test_further_shards_are_created_without_asking_again() -> None:
    plan = plan_of(shard(0), shard(1, None), shard(2, None))
    assert (plan.action, plan.code, plan.needs_consent) == (Action.CREATE, Reason.SHARDS_LEFT, False)
    keys = [(step.key.shard, step.token) for step in plan.steps if isinstance(step, Create)]
    assert keys == [(1, "shard00001"), (2, "shard00002")]
    assert "0 of 3 shards have ended, 1 is active, 2 are not created yet" in plan.reason


def test_a_plan_buys_the_rows_of_the_shards_that_are_left() -> None:
    wanted = replace(job(), source=InlineRows((RequestRow(None, {}),) * 30))
    assert plan_of(shard(0), shard(1, None), shard(2, None), wanted=wanted).size.rows == 20
    without_list = shard(2, None, sent=None)
    assert plan_of(shard(0), shard(1, None), without_list, wanted=wanted).size.rows == 30


def test_the_error_of_a_shard_names_it() -> None:
    error = Status(13, "it broke")
    (found,) = {combine_attempts((done(0), done(1, error=error), done(2, error=error))).error}
    assert found == Status(13, "shard 1.1: it broke")
    assert combine_attempts((done(0), done(1))).error is None


def test_a_full_account_takes_as_many_shards_as_it_can() -> None:
    shards = shard(0), shard(1, None), shard(2, None)
    made = sharded(*shards)
    limits = Limits(admission=AdmissionLimits(active=2))
    found = decide([job()], [row(job(), *shards)], [made.look], limits=limits, inventory=kept())
    assert [step.key.shard for step in found.jobs[0].steps if isinstance(step, Create)] == [1]
    limits = Limits(admission=AdmissionLimits(active=1))
    found = decide([job()], [row(job(), *shards)], [made.look], limits=limits, inventory=kept())
    assert (found.jobs[0].action, found.jobs[0].code) == (Action.WAIT, Reason.ACTIVE_LIMIT)


def test_each_shard_is_collected_when_it_ends() -> None:
    plan = plan_of(shard(0), shard(1, "SUCCEEDED"), shard(2, "EXPIRED"))
    assert (plan.action, plan.phase) == (Action.COLLECT, Phase.ACTIVE)
    assert [step.key.shard for step in plan.steps if isinstance(step, Collect)] == [1, 2]
    assert not any(isinstance(step, Merge) for step in plan.steps)


def test_the_last_collection_is_followed_by_the_merge() -> None:
    plan = plan_of(done(0), done(1), shard(2, "SUCCEEDED"))
    assert [type(step) for step in plan.steps][-2:] == [Collect, Merge]


def test_shards_that_are_collected_are_merged() -> None:
    plan = plan_of(done(0), done(1), done(2))
    assert (plan.action, plan.unfinished) == (Action.COLLECT, True)
    assert [step.line for step in plan.steps] == ["merge a@1"]


def test_merged_results_that_were_removed_are_merged_again() -> None:
    shards = merged()
    (plan,) = sharded(*shards).decide().jobs
    assert any(isinstance(step, Merge) for step in plan.steps)


@pytest.mark.parametrize(
    ("shards", "phase", "words"),
    [
        (merged(), Phase.SUCCEEDED, "succeeded"),
        (merged(20, 10), Phase.SUCCEEDED, "10 of 30 rows failed"),
        (merged(0, 30), Phase.FAILED, "all 30 rows failed"),
    ],
)
def test_the_merged_rows_decide(shards: tuple[RecordedAttempt, ...], phase: Phase, words: str) -> None:
    (plan,) = whole(sharded(*shards), *shards).decide().jobs
    assert (plan.action, plan.phase) == (Action.NONE, phase)
    assert words in plan.reason


def test_a_shard_that_failed_leaves_a_part_of_a_success() -> None:
    first, second, _ = merged(20)
    shards = first, second, shard(2, "EXPIRED", results="a/1.2", rows=RowCounts(10, 0, 0))
    (plan,) = whole(sharded(*shards), *shards).decide().jobs
    assert (plan.phase, plan.attempt.state if plan.attempt else None) == (
        Phase.PARTIALLY_SUCCEEDED,
        "JOB_STATE_PARTIALLY_SUCCEEDED",
    )


def test_a_deadline_holds_for_each_shard() -> None:
    late = {"start_time": NOW - 3 * HOUR}
    plan = plan_of(shard(0, **late), shard(1), done(2), wanted=job(active_deadline=2 * HOUR))
    assert [step.key.shard for step in plan.steps if isinstance(step, Cancel)] == [0]


def test_a_cancel_reaches_every_shard_that_works() -> None:
    order = Options(Scope(names=frozenset({"a"})), cancel=True)
    plan = plan_of(shard(0), done(1), shard(2), options=order)
    assert [step.key.shard for step in plan.steps if isinstance(step, Cancel)] == [0, 2]


def test_shards_that_were_not_sent_are_not_sent_after_a_cancel() -> None:
    made = sharded(done(0), done(1), shard(2, None))
    assert made.record is not None
    record = replace(made.record, row=replace(made.record.row, cancel_requested=NOW))
    (plan,) = replace(made, record=record).decide().jobs
    assert not any(isinstance(step, Create) for step in plan.steps)


def test_changed_work_ends_every_shard() -> None:
    plan = plan_of(shard(0), done(1), shard(2), wanted=job(work="2"))
    assert plan.action is Action.REPLACE
    assert [step.key.shard for step in plan.steps if isinstance(step, Cancel)] == [0, 2]
    ended = plan_of(*merged(), wanted=job(work="2"))
    assert [step.key.shard for step in ended.steps if isinstance(step, Delete)] == [0, 1, 2]
    assert [step.key for step in ended.steps if isinstance(step, Create)] == [AttemptKey("a", 2)]


def test_a_removed_job_ends_with_all_its_shards() -> None:
    made = replace(sharded(*merged()), wanted=None, options=Options(allow_empty=True))
    (plan,) = made.decide().jobs
    assert [step.key.shard for step in plan.steps if isinstance(step, Delete)] == [0, 1, 2]


def test_a_shard_that_cannot_be_seen_makes_the_job_wait() -> None:
    made = sharded(done(0), done(1), shard(2))
    (plan,) = replace(made, look=replace(made.look, complete=False, jobs=made.look.jobs[:2], problem="x")).decide().jobs
    assert plan.action is Action.WAIT


def test_one_shard_is_an_attempt_as_before() -> None:
    assert one(shard(0, of=1)).decide().jobs[0].phase is Phase.ACTIVE
    assert look().complete


def test_the_merge_waits_for_a_shard_that_cannot_be_seen() -> None:
    made = sharded(done(0), done(1), shard(2, "SUCCEEDED"))
    missing = replace(made.look, jobs=made.look.jobs[1:])
    (plan,) = replace(made, look=missing, inventory=kept(done(1))).decide().jobs
    assert any(isinstance(step, Collect) for step in plan.steps)
    assert not any(isinstance(step, Merge) for step in plan.steps)


def test_merged_results_that_were_removed_are_not_replaced_by_worse_ones() -> None:
    shards = merged()
    gone = [replace(one, delete_time=NOW) for one in shards]
    made = replace(sharded(*gone), look=look(), inventory=kept())
    (plan,) = made.decide().jobs
    assert (plan.action, plan.phase, plan.steps) == (Action.NONE, Phase.SUCCEEDED, ())


def test_shards_that_wait_are_not_replaced_by_the_results_of_others() -> None:
    """The results of a shard are a part of the work."""
    plan = plan_of(done(0), shard(1, None), shard(2, None))
    assert [step.key.shard for step in plan.steps if isinstance(step, Create)] == [1, 2]


def test_an_attempt_none_of_whose_shards_can_be_sent_is_followed_by_another() -> None:
    plan = plan_of(shard(0, None, gone_time=NOW), shard(1, None, gone_time=NOW))
    assert [step.key for step in plan.steps if isinstance(step, Create)] == [AttemptKey("a", 2)]


def test_a_lost_create_call_of_a_shard_is_settled_on_its_own() -> None:
    open_call = shard(2, None, intent=Intent(NOW))
    plan = plan_of(done(0), shard(1), open_call)
    assert (plan.action, plan.code) == (Action.WAIT, Reason.SETTLING)


def test_results_of_a_shard_that_could_not_be_read_are_tried_again() -> None:
    trouble = Trouble(Operation.COLLECT, "PermissionDenied", "no", "", NOW - HOUR, NOW - HOUR, next_time=NOW)
    plan = plan_of(done(0), done(1), shard(2, "SUCCEEDED", results_lost=True, trouble=trouble))
    assert [step.key.shard for step in plan.steps if isinstance(step, Collect)] == [2]


def test_an_attempt_none_of_whose_shards_is_sent_waits() -> None:
    unsent = (shard(0, None), shard(1, None))
    assert combine_attempts(unsent).state is None
    assert plan_of(*unsent).action is Action.CREATE


def test_a_job_whose_shards_all_failed_has_failed() -> None:
    failed = combine_attempts((shard(0, "EXPIRED", of=2), shard(1, "FAILED", of=2)))
    assert failed.state == "JOB_STATE_EXPIRED"
    gone = combine_attempts((shard(0, "RUNNING", of=2, gone_time=NOW), shard(1, "RUNNING", of=2, gone_time=NOW)))
    assert (gone.state, gone.is_gone) == ("JOB_STATE_FAILED", True)


def test_shards_that_were_found_by_their_mark_have_no_lists() -> None:
    found = combine_attempts((shard(0, sent=None), shard(1, sent=None)))
    assert (found.sent, found.rows.total) == (None, None)


def test_a_job_without_remote_jobs_is_gone() -> None:
    refused = [shard(number, None, rejected=True) for number in range(2)]
    made = sharded(*refused)
    (plan,) = made.decide().jobs
    assert (plan.phase, plan.action) == (Phase.REJECTED, Action.NONE)


@pytest.mark.parametrize(("bad", "phase"), [(0, Phase.SUCCEEDED), (5, Phase.PARTIALLY_SUCCEEDED)])
def test_hooks_hear_of_the_job_and_not_of_its_shards(bad: int, phase: Phase) -> None:
    first, second, _ = merged(30 - bad, bad)
    assert (end_of(second), end_of(replace(first, merged=None))) == (None, None)
    assert end_of(first) is phase


@pytest.mark.parametrize(("bad", "surveyed"), [(5, ["a"]), (0, [])])
def test_rows_that_failed_in_a_later_shard_are_looked_up_too(bad: int, surveyed: list[str]) -> None:
    """The first shard alone says nothing of the job."""
    shards = merged(30 - bad, bad)
    record = Recorded({"a": row(job(), *shards)})
    found = rows_to_survey(DesiredStack(STACK, (job(),)), record, Options())
    assert [wanted.name for wanted, _ in found] == surveyed


def test_the_first_timer_of_a_shard_is_that_of_the_job() -> None:
    early, late = {"start_time": NOW - HOUR}, {"start_time": NOW - HOUR / 2}
    for shards in ((shard(0, **early), shard(1, **late)), (shard(0, **late), shard(1, **early), done(2))):
        plan = plan_of(*shards, wanted=job(active_deadline=2 * HOUR))
        assert (plan.next_time, plan.timer) == (NOW + HOUR, Timer.DEADLINE)
    assert plan_of(shard(0), shard(1)).next_time is None


def test_an_open_call_comes_before_every_other_timer() -> None:
    shards = shard(0, start_time=NOW - HOUR), shard(1, None, intent=Intent(LOCAL))
    plan = plan_of(*shards, wanted=job(active_deadline=HOUR + SECOND))
    assert (plan.timer, plan.code, plan.phase) == (Timer.SETTLING, Reason.SETTLING, Phase.SETTLING)


@pytest.mark.parametrize(
    ("shards", "unfinished"),
    [
        ((shard(0), shard(1)), False),
        ((shard(0), shard(1, None)), True),
        ((shard(0, start_time=NOW - 3 * HOUR), shard(1)), True),
        ((done(0), shard(1, "SUCCEEDED")), False),
    ],
    ids=["all work", "one is not created", "one is cancelled", "the last is collected"],
)
def test_a_job_goes_on_as_long_as_one_shard_does(shards: tuple[RecordedAttempt, ...], unfinished: bool) -> None:
    assert plan_of(*shards, wanted=job(active_deadline=2 * HOUR)).unfinished is unfinished


def test_a_job_is_unseen_if_one_shard_is() -> None:
    made = sharded(shard(0), shard(1))
    assert not made.decide().jobs[0].unseen
    hidden = replace(made.look, complete=False, jobs=made.look.jobs[:1], problem="page 2 failed")
    assert replace(made, look=hidden).decide().jobs[0].unseen


@pytest.mark.parametrize(("is_merged", "merges"), [(False, True), (True, False)])
def test_merged_results_are_not_replaced_by_worse_ones(is_merged: bool, merges: bool) -> None:
    """The results of one shard were removed, and its remote job is gone; the merged ones were removed as well."""
    shards = (*(merged() if is_merged else (done(0), done(1)))[:2], done(2))
    made = sharded(*shards)
    gone = [one.remote for one in shards if one.remote is not None]
    (plan,) = replace(made, look=look(gone=gone), inventory=kept(*shards[:2])).decide().jobs
    assert any(isinstance(step, Merge) for step in plan.steps) is merges
