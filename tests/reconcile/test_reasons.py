"""Every reason code: a situation that leads to it. The table knows each code once at least."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from batchctl.model.admission import Quota
from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt, Trouble
from batchctl.model.chain import Chain, Obstacle
from batchctl.model.cost.spending import SpendingLimits
from batchctl.model.keys import BrokenMark
from batchctl.model.lifecycle import OnChange, OnMissing, OnRemove
from batchctl.model.observed import RowCounts
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import MaxFailedRows
from batchctl.model.row_work import RowsSent, RowWork
from batchctl.model.sources import AwaitedRows
from batchctl.model.stack import Limits
from batchctl.reconcile import Options, Scope
from batchctl.reconcile.view.marks import NO_TOKEN
from tests.support.decisions import (
    FAILURE,
    HERE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    Situation,
    again,
    attempt,
    canary,
    collected,
    decide,
    found,
    job,
    kept,
    look,
    lost,
    one,
    ordered,
    row,
    seen,
    several,
    shard,
    sharded,
    unanswered,
    vanished,
    with_row,
    with_rows,
)
from tests.support.past_jobs import history
from tests.support.queue_limits import ACTIVE, KEY, bounds
from tests.support.values import replace

NO_TOKENS = Limits(spending=SpendingLimits(tokens=1))
FAILED = attempt(1, "FAILED", error=FAILURE, results="a/1")
LOST = unanswered(first_look=LOCAL - HOUR)
ENDED_B = attempt(1, "SUCCEEDED", name="b")
PART = RowCounts(10, 9, 1)
NEVER_SENT = collected(rows=RowCounts(3, 2, 0, {"OK": 2, "NOT_SENT": 1}), sent=RowsSent(2, 3, "", verdicts={"OK": 2}))
PASSING = Trouble(Operation.CREATE, "PermissionDenied", "no", "", NOW, NOW, until=NOW + HOUR)
NAMED = Options(scope=Scope(names=frozenset({"a"})))
RETRY = replace(NAMED, retry=True)
CANCEL = Options(cancel=True)


CHAIN = Chain("b", "0" * 64)


def chained(source: AwaitedRows, *attempts: RecordedAttempt) -> Plan:
    """A job whose rows are made from the answers of `b`, which has succeeded."""
    wanted, done = replace(job(needs=["b"], work="2"), source=source), collected(name="b")
    records = [row(job("b"), done), *([row(wanted, *attempts)] if attempts else [])]
    return decide([wanted, job("b")], records, [look(*map(seen, (done, *attempts)))])


def changed(record=ACTIVE, **lifecycle) -> Situation:
    wanted = job(work="2", **lifecycle)
    return Situation(wanted, row(wanted, record), look(seen(record)))


def unwanted(record=ACTIVE, **lifecycle) -> Situation:
    return Situation(None, row(job(**lifecycle), record), look(seen(record)))


def given(situation: Situation, options: Options, **record) -> Situation:
    recorded = None if situation.record is None else with_row(situation.record, **record)
    return replace(situation, options=options, record=recorded)


def stalled() -> Plan:
    """A new job, while three others have waited at the API for an hour."""
    waits = [attempt(name=name, state="PENDING", create_time=NOW - HOUR) for name in "bcd"]
    wanted = [job(name) for name in "bcd"]
    return decide([*wanted, job()], [*map(row, wanted, waits), history()], [look(*map(seen, waits))])


def needing(*records, work="1") -> Plan:
    """A job that depends on `b`."""
    wanted = [job(needs=["b"]), job("b", work=work)]
    return decide(wanted, [row(wanted[1], *records)] if records else [], [look(*map(seen, records))])


def leaving() -> Plan:
    """Two jobs in no manifest any more, one of which depends on the other: `a` goes last."""
    first, second = attempt(name="a"), attempt(name="b")
    records = [row(job("a"), first), row(job("b", needs=["a"]), second)]
    return decide([], records, [look(seen(first), seen(second))], Options(allow_empty=True))


def waiting(quota: Quota | None = None, **limits) -> Plan:
    running = attempt(name="b", create_time=NOW - SECOND)
    wanted = [job(tokens=10), job("b", tokens=10)]
    quotas = [] if quota is None else [quota]
    return decide(wanted, [row(wanted[1], running)], [look(seen(running))], limits=bounds(**limits), quotas=quotas)


MADE_BY_HAND = seen(attempt(), mark=None)
TAKEN_IN = Situation(replace(job(), adopt="batches/a-1"), None, look(MADE_BY_HAND))
RECENT = attempt(1, "FAILED", error=FAILURE, results="a/1", end_time=NOW - SECOND)

CASES: Mapping[Reason, list[Situation | Plan]] = {
    Reason.NEW: [Situation(job())],
    Reason.NOT_SENT: [Situation(job(), row(job(), attempt(1, None, remote=None)))],
    Reason.CALL_LOST: [
        Situation(job(), row(job(), LOST)),
        Situation(job(), row(job(), attempt(1, None, remote=None, gone_time=NOW))),
    ],
    Reason.WORK_CHANGED: [
        changed(),
        changed(collected()),
        Situation(job(work="2"), row(job(), attempt(1, None, remote=None, rejected=True))),
        Situation(job(work="2"), row(job(), LOST)),
    ],
    Reason.REFUSED_FOR_NOW: [
        Situation(job(), row(job(), attempt(1, None, remote=None, trouble=PASSING))),
        Situation(job(), row(job(), attempt(1, None, remote=None, trouble=replace(PASSING, next_time=NOW + HOUR)))),
    ],
    Reason.CHANGED_BACK: [several(collected(), collected(2, work="2"))],
    Reason.CHANGE_KEPT: [changed(on_change=OnChange.KEEP)],
    Reason.CHANGE_REFUSED: [changed(on_change=OnChange.FAIL)],
    Reason.SETTINGS_CHANGED: [Situation(job(backoff_limit=1), row(job(), ACTIVE), look(seen(ACTIVE)))],
    Reason.WANTED_AGAIN: [
        one(attempt(1, "CANCELLED", cancel_time=NOW - HOUR, cancel_cause=CancelCause.REMOVE)),
        vanished(attempt(cancel_time=NOW - HOUR, cancel_cause=CancelCause.REMOVE)),
    ],
    Reason.ATTEMPT_FAILED: [one(FAILED, backoff_limit=1)],
    Reason.RETRY_ORDERED: [given(one(FAILED), RETRY), given(one(FAILED), Options(), retry_requested=LOCAL)],
    Reason.SUSPENDED: [
        Situation(job(suspend=True)),
        Situation(job(), suspended=True),
        one(FAILED, backoff_limit=1, suspend=True),
        changed(suspend=True),
        given(one(FAILED, suspend=True), Options(), retry_requested=LOCAL),
    ],
    Reason.DEPENDENCY_PENDING: [needing(), needing(attempt(name="b"))],
    Reason.DEPENDENCY_FAILED: [
        needing(attempt(1, "FAILED", name="b", results="b/1")),
        decide([job(needs=["z"])], [], [look()]),
    ],
    Reason.ROWS_AWAITED: [chained(AwaitedRows(CHAIN), collected())],
    Reason.ROWS_NOT_MADE: [chained(AwaitedRows(CHAIN, Obstacle("no answer of b can be used")))],
    Reason.DEPENDANT_LEFT: [leaving()],
    Reason.BACK_OFF: [one(RECENT, backoff_limit=1)],
    Reason.ACTIVE_LIMIT: [waiting(active=1)],
    Reason.TOKEN_LIMIT: [waiting(enqueued_tokens=15)],
    Reason.RATE_LIMIT: [waiting(creates_per_minute=1)],
    Reason.BUDGET: [decide([job(tokens=1)], [], [look()], Options(waits_for_budget=True), limits=NO_TOKENS)],
    Reason.QUOTA: [waiting(Quota(KEY, 1, NOW, NOW + HOUR))],
    Reason.STALLED: [stalled()],
    Reason.SETTLING: [
        Situation(job(), row(job(), unanswered())),
        Situation(job(), row(job(), unanswered()), look(complete=False)),
    ],
    Reason.UNSEEN: [
        Situation(job(), None, look(complete=False)),
        Situation(job(), row(job(), ACTIVE), look(complete=False)),
        Situation(None, row(job(), ACTIVE), look(complete=False)),
        Situation(job(work="2"), row(job(), ACTIVE), look(complete=False)),
        Situation(job(backoff_limit=1), row(job(backoff_limit=1), FAILED), look(seen(FAILED), complete=False)),
    ],
    Reason.NOT_CONFIRMED: [
        replace(vanished(ACTIVE), confirmed=False),
        replace(vanished(ACTIVE), confirmed=False, wanted=None),
        replace(vanished(ACTIVE), confirmed=False, wanted=job(work="2")),
    ],
    Reason.MARK_DAMAGED: [
        Situation(job(), row(job(), LOST), look(seen(ACTIVE, mark=None, broken=BrokenMark("[bc1 shop/", "shop"))))
    ],
    Reason.STATE_UNKNOWN: [
        one(attempt(1, "PAUSED")),
        changed(attempt(1, "PAUSED")),
        unwanted(attempt(1, "PAUSED")),
    ],
    Reason.NOTHING_TO_ADOPT: [Situation(replace(job(), adopt="batches/a-1"))],
    Reason.ACTIVE: [one(ACTIVE), one(attempt(1, "PENDING"))],
    Reason.CANCELLING: [
        one(attempt(cancel_time=NOW - SECOND, cancel_cause=CancelCause.USER)),
        one(attempt(cancel_time=NOW - HOUR, cancel_cause=CancelCause.USER)),
    ],
    Reason.PENDING_DEADLINE: [one(attempt(1, "PENDING"), pending_deadline=MINUTE)],
    Reason.ACTIVE_DEADLINE: [one(ACTIVE, active_deadline=MINUTE)],
    Reason.SUCCEEDED: [one(collected()), Situation(job(), row(job(), collected()), look(complete=False))],
    Reason.ROWS_FAILED: [one(collected(rows=PART))],
    Reason.NOT_COLLECTED: [one(attempt(1, "SUCCEEDED"))],
    Reason.RESULTS_MISSING: [
        replace(one(collected()), inventory=kept()),
        replace(several(collected(1), attempt(2)), inventory=kept()),
    ],
    Reason.CANARY_PASSED: [canary(OK=50)],
    Reason.CANARY_FAILED: [canary(OK=40, SAFETY=10)],
    Reason.SHARDS_LEFT: [sharded(shard(0), shard(1, None))],
    Reason.ROWS_RETRIED: [
        replace(
            one(collected(rows=PART, end_time=NOW - HOUR), retry_on=frozenset({"ROWS"})),
            inventory=with_rows(RowWork(3, 2, 1, 1, 1), collected(rows=PART, end_time=NOW - HOUR)),
        )
    ],
    Reason.ROWS_NOT_SENT: [
        replace(
            one(NEVER_SENT),
            inventory=with_rows(RowWork(3, 2, 1, 0, 1), NEVER_SENT),
        )
    ],
    Reason.ROWS_ANSWERED: [Situation(job(), inventory=with_rows(RowWork(3, 3, 0, 0, 0)))],
    Reason.REUSED: [
        Situation(job(), inventory=kept(collected())),
        Situation(job(), inventory=kept(collected(name="b", results="b/1"))),
    ],
    Reason.RESULTS_FOUND: [replace(one(attempt(1, "SUCCEEDED")), inventory=kept(collected()))],
    Reason.RERUN_ORDERED: [replace(one(collected()), options=Options(rerun=frozenset("a")))],
    Reason.SAME_WORK_LEAVES: [
        decide([job()], [row(job("b"), ENDED_B)], [look(seen(ENDED_B))]),
    ],
    Reason.REJECTED: [Situation(job(), row(job(), attempt(1, None, remote=None, rejected=True)))],
    Reason.NOT_RETRIED: [one(attempt(1, "CANCELLED", results="a/1"))],
    Reason.BACKOFF_LIMIT: [one(FAILED)],
    Reason.MAX_FAILED_ROWS: [one(collected(rows=RowCounts(10, 8, 2)), max_failed_rows=MaxFailedRows("1"))],
    Reason.UNPLACED: [one(collected(rows=RowCounts(4, 0, 0)))],
    Reason.MISSING: [vanished(ACTIVE), vanished(ACTIVE, on_missing=OnMissing.RECREATE)],
    Reason.RECREATE_LIMIT: [again(*(lost(number) for number in (1, 2, 3)), last=4)],
    Reason.RESULTS_LOST: [vanished(attempt(1, "SUCCEEDED")), one(attempt(1, "SUCCEEDED", results_lost=True))],
    Reason.CANCEL_ORDERED: [
        given(one(ACTIVE), CANCEL),
        ordered(one(ACTIVE)),
        ordered(vanished(ACTIVE)),
        ordered(Situation(job(), row(job(), attempt(1, None, remote=None)))),
        ordered(one(attempt(1, "CANCELLED", results="a/1"))),
    ],
    Reason.TTL_AFTER_FINISHED: [one(collected(), ttl_after_finished=MINUTE)],
    Reason.ADOPTED: [Situation(job(), None, look(found()))],
    Reason.IMPORTED: [TAKEN_IN],
    Reason.DUPLICATE: [Situation(job(), row(job(), ACTIVE), look(seen(ACTIVE), found(1, suffix="-second")))],
    Reason.REMOVED: [unwanted(), unwanted(collected())],
    Reason.DESTROY_ORDERED: [replace(one(ACTIVE), options=Options(destroy=True))],
    Reason.NOTHING_LEFT: [Situation(None, row(job(), ACTIVE), look(gone=["batches/a-1"]))],
    Reason.KEPT: [unwanted(on_remove=OnRemove.KEEP), unwanted(collected(), on_remove=OnRemove.CANCEL)],
    Reason.ORPHAN: [Situation(None, None, look(found()), Options(prune_orphans=True))],
    Reason.NOT_CREATED: [Situation(job(), None, look(), CANCEL)],
    Reason.NOT_RECORDED: [Situation(job(), None, look(found()), CANCEL)],
    Reason.HAS_ENDED: [given(one(collected()), CANCEL)],
    Reason.RETRY_CALLED_OFF: [given(one(FAILED), CANCEL, retry_requested=LOCAL)],
    Reason.RETRY_REFUSED: [given(one(ACTIVE), RETRY), Situation(job(), options=RETRY)],
}


@pytest.mark.parametrize(
    ("code", "case"), [pytest.param(code, case, id=code) for code, cases in CASES.items() for case in cases]
)
def test_a_decision_carries_the_code_of_its_reason(code: Reason, case: Situation | Plan) -> None:
    made = case if isinstance(case, Plan) else case.decide()
    (decided,) = [planned for planned in made.jobs if planned.job == "a"]
    assert (decided.code, bool(decided.reason)) == (code, True), decided.reason


@pytest.mark.parametrize("case", [pytest.param(case, id=code) for code, cases in CASES.items() for case in cases])
def test_a_time_comes_with_its_timer(case: Situation | Plan) -> None:
    made = case if isinstance(case, Plan) else case.decide()
    assert [planned.timer is None for planned in made.jobs] == [planned.next_time is None for planned in made.jobs]


def test_every_code_is_reached() -> None:
    assert set(Reason) - CASES.keys() == set()


def test_a_guard_leaves_the_code_of_what_it_refuses() -> None:
    (refused,) = replace(Situation(job()), options=Options(consent=False)).decide().jobs
    assert (refused.guard is not None, refused.code) == (True, Reason.NEW)


def test_what_is_taken_in_says_so_whatever_follows() -> None:
    assert MADE_BY_HAND.account == HERE
    (taken,) = TAKEN_IN.decide().jobs
    assert taken.attempt is not None
    assert taken.attempt.token == NO_TOKEN
