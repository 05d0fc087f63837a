"""Shards that are not sent any more, and the rows of shards that nobody sent."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, Intent, MergedResults, RecordedAttempt
from batchctl.model.chain import Chain
from batchctl.model.keys import AttemptKey
from batchctl.model.lifecycle import OnChange, OnMissing
from batchctl.model.observed import RowCounts
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowsSent
from batchctl.model.sources import AwaitedRows, InlineRows, RequestRow
from batchctl.model.states import Phase
from batchctl.model.steps import Collect, Create, Merge, Note, RecordAttempt, Reuse
from batchctl.reconcile import Options
from tests.support.decisions import (
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    Situation,
    job,
    kept,
    look,
    ordered,
    shard,
    sharded,
    with_row,
)
from tests.support.values import replace

TEN = RowCounts(10, 10, 0, {"OK": 10})
ROWS = InlineRows((RequestRow(None, {}),) * 30)
LOOKED = Intent(LOCAL - HOUR, LOCAL - HOUR, NOW - HOUR)
"""A create call whose grace is over."""
KEEP = job(work="2", on_change=OnChange.KEEP)


def done(number: int, **fields: object) -> RecordedAttempt:
    """A collected shard."""
    return shard(number, "SUCCEEDED", **{"results": f"a/1.{number}", "rows": TEN, **fields})


def unsent(number: int, **fields: object) -> RecordedAttempt:
    return shard(number, None, **fields)


def only(made: Situation) -> JobPlan:
    (plan,) = made.decide().jobs
    return plan


def given_up(plan: JobPlan) -> list[int]:
    """The shards that are recorded as not sent any more."""
    steps = [step for step in plan.steps if isinstance(step, RecordAttempt) and step.note is Note.ABANDONED]
    assert all(step.attempt.intent is None and step.attempt.is_gone for step in steps)
    return [step.attempt.key.shard for step in steps]


def creates(plan: JobPlan) -> list[AttemptKey]:
    return [step.key for step in plan.steps if isinstance(step, Create)]


def merged(*shards: RecordedAttempt, wanted: object = None, **fields: object) -> Situation:
    """The situation with the merged results of the collected shards."""
    found = [one for one in shards if one.results is not None]
    bad = 10 * (3 - len(found))
    rows = RowCounts(30, 30 - bad, 0, {"OK": 30 - bad, "NOT_SENT": bad})
    first = replace(shards[0], merged=MergedResults("a/1", rows))
    made = sharded(first, *shards[1:], wanted=wanted or replace(job(), source=ROWS), **fields)
    gone = {one.remote for one in shards if one.gone_time is not None}
    there = [one for one in made.look.jobs if one.name not in gone]
    made = replace(made, look=look(*there, gone=[name for name in gone if name is not None]))
    whole = replace(shards[0], results="a/1", remote=None, sent=None, rows=rows)
    return replace(made, inventory=kept(*found, whole))


def test_a_cancel_gives_up_the_shards_that_are_not_sent() -> None:
    plan = only(ordered(sharded(done(0), done(1), unsent(2))))
    assert (given_up(plan), creates(plan)) == ([2], [])
    assert [type(step) for step in plan.steps if not isinstance(step, RecordAttempt)] == [Merge]


def test_a_cancel_gives_up_nothing_that_was_sent_or_refused() -> None:
    plan = only(ordered(sharded(shard(0), unsent(1, rejected=True), unsent(2, gone_time=NOW))))
    assert given_up(plan) == []


def test_a_job_of_which_no_shard_is_sent_is_cancelled_at_once() -> None:
    plan = only(ordered(sharded(unsent(0), unsent(1), unsent(2, rejected=True))))
    assert (plan.action, plan.phase, plan.code) == (Action.NONE, Phase.CANCELLED, Reason.CANCEL_ORDERED)
    assert (given_up(plan), plan.reason) == ([0, 1], "cancelled by `batchctl cancel` before a create call got through")


def test_after_a_cancel_a_lost_call_is_waited_for_and_not_sent_again() -> None:
    waits = only(ordered(sharded(done(0), done(1), unsent(2, intent=Intent(LOCAL)))))
    assert (waits.code, given_up(waits), creates(waits)) == (Reason.SETTLING, [], [])
    over = only(ordered(sharded(done(0), done(1), unsent(2, intent=LOOKED))))
    assert (given_up(over), creates(over)) == ([2], [])


def test_shards_of_the_former_work_are_not_sent() -> None:
    plan = only(sharded(shard(0), done(1), unsent(2), wanted=KEEP))
    assert (plan.action, given_up(plan), creates(plan)) == (Action.WAIT, [2], [])


def test_collected_shards_of_the_former_work_are_not_collected_again() -> None:
    plan = only(sharded(done(0), done(1), done(2), wanted=KEEP))
    assert (plan.action, plan.phase) == (Action.NONE, Phase.SUCCEEDED)


def test_a_removal_that_is_refused_leaves_unsent_shards_alone() -> None:
    made = sharded(shard(0, "EXPIRED"), unsent(1), unsent(2, intent=LOOKED), options=Options(consent=False))
    plan = only(replace(made, wanted=None))
    assert (given_up(plan), creates(plan)) == ([1, 2], [])
    assert [step.key.shard for step in plan.steps if isinstance(step, Collect)] == [0]


def test_a_replacement_waits_for_a_call_without_an_answer() -> None:
    plan = only(sharded(shard(0), unsent(1, intent=Intent(LOCAL)), wanted=job(work="2")))
    assert (plan.action, plan.code) == (Action.WAIT, Reason.SETTLING)
    assert plan.reason.startswith("its work changed, but it is not known whether the create call was sent")


def test_a_replacement_gives_up_a_lost_call() -> None:
    plan = only(sharded(done(0), unsent(1, intent=LOOKED), wanted=job(work="2")))
    assert (plan.action, given_up(plan), creates(plan)) == (Action.REPLACE, [1], [AttemptKey("a", 2)])


def test_work_that_changed_before_any_shard_was_sent_gets_a_new_attempt() -> None:
    plan = only(sharded(unsent(0, rejected=True), unsent(1), wanted=KEEP))
    assert (plan.action, plan.code, creates(plan)) == (Action.CREATE, Reason.WORK_CHANGED, [AttemptKey("a", 2)])
    waits = only(sharded(unsent(0), unsent(1, intent=Intent(LOCAL)), wanted=KEEP))
    assert (waits.code, creates(waits)) == (Reason.CHANGE_KEPT, [])


def test_a_chain_keeps_its_unsent_shards_while_its_rows_are_awaited() -> None:
    awaiting = replace(job(work="2"), source=AwaitedRows(Chain("n", "t")), depends_on=("n",))
    plan = only(sharded(shard(0), unsent(1), wanted=awaiting))
    assert (given_up(plan), creates(plan)) == ([], [])


@pytest.mark.parametrize(
    ("shards", "words"),
    [
        ((done(0), done(1)), "1 of 3 shards was never created: their rows are sent"),
        ((done(0), unsent(1, gone_time=NOW), unsent(2, gone_time=NOW)), "2 of 3 shards were never created"),
    ],
    ids=["not on record", "given up"],
)
def test_the_rows_of_shards_that_were_never_created_are_sent(shards: tuple[RecordedAttempt, ...], words: str) -> None:
    plan = only(merged(*shards))
    assert (plan.action, plan.code, plan.needs_consent) == (Action.CREATE, Reason.SHARDS_LEFT, False)
    assert creates(plan) == [AttemptKey("a", 2)]
    assert words in plan.reason
    waits = only(merged(*shards, suspended=True))
    assert (waits.action, waits.code) == (Action.WAIT, Reason.SUSPENDED)


def test_one_shard_that_is_left_of_several_is_followed_by_the_others() -> None:
    found = shard(0, "SUCCEEDED", results="a/1.0", rows=TEN)
    assert creates(only(replace(sharded(found, wanted=replace(job(), source=ROWS))))) == [AttemptKey("a", 2)]


@pytest.mark.parametrize(
    "made",
    [
        merged(done(0), done(1), done(2)),
        merged(done(0), done(1), unsent(2, rejected=True)),
        ordered(merged(done(0), done(1))),
        merged(done(0), done(1), wanted=KEEP),
        sharded(shard(0, "EXPIRED"), shard(1, "EXPIRED")),
    ],
    ids=["all are known", "refused", "cancelled", "changed", "not collected"],
)
def test_nothing_is_sent_for_shards_that_are_known_or_not_wanted(made: Situation) -> None:
    assert creates(only(made)) == []


GONE = shard(2, "RUNNING", gone_time=LOCAL - MINUTE)
RECREATED = replace(job(on_missing=OnMissing.RECREATE), source=ROWS)


def test_rows_of_a_shard_that_went_missing_are_sent_again() -> None:
    plan = only(merged(done(0), done(1), GONE, wanted=RECREATED))
    assert (plan.code, creates(plan)) == (Reason.MISSING, [AttemptKey("a", 2)])


@pytest.mark.parametrize(
    "made",
    [
        merged(done(0), done(1), GONE),
        ordered(merged(done(0), done(1), GONE, wanted=RECREATED)),
        merged(
            done(0),
            done(1),
            GONE,
            wanted=replace(KEEP, lifecycle=replace(KEEP.lifecycle, on_missing=OnMissing.RECREATE)),
        ),
        merged(done(0), done(1), shard(2, "EXPIRED", gone_time=LOCAL), wanted=RECREATED),
        merged(done(0), done(1), replace(GONE, cancel_cause=CancelCause.DEADLINE), wanted=RECREATED),
        merged(done(0), done(1), unsent(2, rejected=True), wanted=RECREATED),
    ],
    ids=["onMissing: fail", "cancelled", "changed", "had ended", "stopped by us", "refused"],
)
def test_shards_that_are_not_missing_or_not_wanted_are_not_created_again(made: Situation) -> None:
    assert only(made).code is not Reason.MISSING


def test_shards_that_keep_going_missing_are_given_up() -> None:
    gone = replace(GONE, gone_time=LOCAL - 9 * HOUR)
    before = [
        replace(
            one, key=replace(one.key, attempt=number), token=f"t{number}{one.key.shard:08}", remote=f"batches/{number}"
        )
        for number in (1, 2, 3)
        for one in (done(0, delete_time=NOW), gone)
    ]
    last = [replace(one, key=replace(one.key, attempt=4)) for one in (done(0), done(1), GONE)]
    made = merged(*last, wanted=RECREATED)
    assert made.record is not None
    record = replace(made.record, attempts=(*before, *made.record.attempts))
    plan = only(replace(made, record=with_row(record, current=4)))
    assert (plan.code, creates(plan)) == (Reason.RECREATE_LIMIT, [])


def test_results_of_one_shard_are_not_those_of_the_work() -> None:
    wanted = replace(job(), source=ROWS)
    part = replace(done(0, results="b/1.0"), key=AttemptKey("b", 1, 0))
    cut = replace(part, key=AttemptKey("b", 2), sent=None, remote=None, results="b/2")
    cut = replace(cut, rows=RowCounts(30, 20, 0, {"OK": 20, "NOT_SENT": 10}))
    plan = only(Situation(wanted, look=look(), inventory=kept(part, cut)))
    assert (plan.action, creates(plan)) == (Action.CREATE, [AttemptKey("a", 1)])
    whole = replace(cut, rows=RowCounts(30, 30, 0, {"OK": 30}))
    plan = only(Situation(wanted, look=look(), inventory=kept(part, whole)))
    assert [step.source for step in plan.steps if isinstance(step, Reuse)] == ["b/2"]


def test_results_of_all_shards_are_found_again() -> None:
    wanted = replace(job(), source=ROWS)
    parts = [done(number, sent=RowsSent(10, 30, "", shards=3)) for number in range(3)]
    gone = look(gone=[one.remote for one in parts if one.remote is not None])
    plan = only(Situation(wanted, look=gone, inventory=kept(*parts)))
    assert [step.line for step in plan.steps if isinstance(step, Merge)] == ["merge a@1"]
    whole = replace(parts[0], remote=None, sent=None, results="a/1", rows=RowCounts(30, 30, 0, {"OK": 30}))
    plan = only(Situation(wanted, look=gone, inventory=kept(*parts, whole)))
    assert (plan.phase, [type(step) for step in plan.steps if isinstance(step, Merge)]) == (Phase.SUCCEEDED, [])


def test_merged_results_are_not_those_of_a_refused_first_shard() -> None:
    first = unsent(0, rejected=True, merged=MergedResults("a/1", RowCounts(30, 20, 0, {"OK": 20, "NOT_SENT": 10})))
    shards = first, done(1), done(2)
    whole = replace(first, results="a/1", sent=None, state="JOB_STATE_PARTIALLY_SUCCEEDED", merged=None)
    plan = only(replace(sharded(*shards), inventory=kept(*shards, whole)))
    assert (plan.action, plan.phase) == (Action.NONE, Phase.PARTIALLY_SUCCEEDED)
    assert "10 of 30 rows have no result" in plan.reason


@pytest.mark.parametrize(
    ("lost", "phase"),
    [
        ({"results_lost": True}, Phase.PARTIALLY_SUCCEEDED),
        ({"gone_time": NOW}, Phase.PARTIALLY_SUCCEEDED),
        ({"results": "a/1.2", "gone_time": NOW}, Phase.SUCCEEDED),
    ],
    ids=["lost", "gone before it was collected", "gone after it was collected"],
)
def test_a_shard_whose_results_are_lost_leaves_a_part_of_a_success(lost: dict[str, object], phase: Phase) -> None:
    assert only(merged(done(0), done(1), shard(2, "SUCCEEDED", **{"rows": TEN, **lost}))).phase is phase


def test_a_retry_by_order_collects_every_shard_first() -> None:
    made = sharded(*(shard(number, "EXPIRED") for number in range(3)))
    assert made.record is not None
    plan = only(replace(made, record=with_row(made.record, retry_requested=NOW)))
    assert [step.key.shard for step in plan.steps if isinstance(step, Collect)] == [0, 1, 2]
    assert creates(plan) == [AttemptKey("a", 2)]


def test_drift_is_that_of_each_shard() -> None:
    shards = done(0), shard(1, "CANCELLED"), unsent(2)
    found = sharded(*shards).decide().drift
    assert [str(one.kind) for one in found] == ["Cancelled"]
    assert "batches/a-1-s1 was cancelled" in found[0].detail
    later = sharded(unsent(0), shard(1), shard(2))
    assert later.decide().drift == ()
