"""The canary: which rows are bought first, and what their verdicts decide."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import Canary, MaxFailedRows, RowSettings
from batchctl.model.row_work import RowChoice, RowsSent
from batchctl.model.sources import InlineRows, RequestRow
from batchctl.model.states import Phase
from batchctl.model.steps import Create
from batchctl.reconcile import Options, Scope
from batchctl.reconcile.view.endings import row_words
from tests.support.decisions import (
    HERE,
    NOW,
    Situation,
    attempt,
    canary,
    collected,
    job,
    kept,
    look,
    one,
    ordered,
    row,
    seen,
    with_row,
)
from tests.support.values import replace

LENIENT = Canary(max_failed_rows=MaxFailedRows("20%"))
FRUGAL = Canary(max_tokens_per_row=100)
ACCEPT = Options(Scope(names=frozenset({"a"})), retry=True, accept_canary=True)


def wanted(rows: int, **fields: object):
    return replace(job(), canary=Canary(), source=InlineRows((RequestRow(None, {}),) * rows), **fields)


@pytest.mark.parametrize(("rows", "most"), [(1000, 50), (51, 50), (50, None), (3, None)])
def test_a_canary_comes_before_more_rows_than_it_has(rows: int, most: int | None) -> None:
    (plan,) = Situation(wanted(rows)).decide().jobs
    assert [step.rows.most for step in plan.steps if isinstance(step, Create)] == [most]
    assert plan.size.rows == (most or rows)
    assert ("canary: 50 rows first" in plan.reason) is (most is not None)


@pytest.mark.parametrize(
    ("made", "passes"),
    [
        (canary(OK=50), True),
        (canary(OK=48, SAFETY=2), True),
        (canary(OK=47, SAFETY=3), False),
        (canary(OK=40, NO_RESULT=10), False),
        (canary(LENIENT, OK=40, SAFETY=10), True),
        (canary(FRUGAL, tokens=5_000, OK=50), True),
        (canary(FRUGAL, tokens=5_001, OK=50), False),
        (canary(FRUGAL, OK=50), True),
    ],
)
def test_its_verdicts_decide(made: Situation, passes: bool) -> None:
    (plan,) = made.decide().jobs
    if passes:
        assert (plan.action, plan.code, plan.needs_consent) == (Action.CREATE, Reason.CANARY_PASSED, False)
        assert Create(AttemptKey("a", 2)) in plan.steps
    else:
        assert (plan.action, plan.code, plan.phase) == (Action.NONE, Reason.CANARY_FAILED, Phase.FAILED)
        assert "The other 950 rows are not bought" in plan.reason
        assert "retry a --accept-canary" in plan.reason


def test_accepted_verdicts_are_good() -> None:
    made = canary(OK=40, MAX_TOKENS=10)
    assert made.wanted is not None
    settings = RowSettings(accept=frozenset({"MAX_TOKENS"}))
    (plan,) = replace(made, wanted=replace(made.wanted, row_settings=settings)).decide().jobs
    assert plan.code is Reason.CANARY_PASSED


def test_a_failed_canary_can_be_accepted() -> None:
    made = replace(canary(SAFETY=50), options=ACCEPT)
    (plan,) = made.decide().jobs
    assert (plan.code, plan.needs_consent) == (Reason.CANARY_PASSED, True)
    assert [step.rows for step in plan.steps if isinstance(step, Create)] == [RowChoice()]


def test_only_a_failed_canary_can_be_accepted() -> None:
    for made in (canary(OK=50), one(collected(1, "FAILED"))):
        (plan,) = replace(made, options=ACCEPT).decide().jobs
        assert plan.guard is not None
        assert "it has no failed canary to accept" in plan.guard.message


def test_a_manifest_without_the_canary_goes_on() -> None:
    made = canary(SAFETY=50)
    assert made.wanted is not None
    (plan,) = replace(made, wanted=replace(made.wanted, canary=None)).decide().jobs
    assert plan.code is Reason.CANARY_PASSED


def test_a_suspended_job_waits_after_its_canary() -> None:
    (plan,) = replace(canary(OK=50), suspended=True).decide().jobs
    assert (plan.action, plan.code) == (Action.WAIT, Reason.SUSPENDED)


def test_a_canary_that_was_not_collected_is_no_success_yet() -> None:
    made = canary()
    assert made.record is not None
    done = replace(made.record.attempts[0], results=None)
    (plan,) = replace(made, record=row(made.wanted, done), look=look(seen(done)), inventory=kept()).decide().jobs
    assert plan.action is Action.COLLECT


def test_a_job_whose_rows_were_sent_needs_no_canary() -> None:
    failed = attempt(1, "FAILED", remote="batches/1")
    again = wanted(1000, lifecycle=replace(job().lifecycle, backoff_limit=1))
    (plan,) = Situation(again, row(again, failed), look(seen(failed))).decide().jobs
    assert all(step.rows.most is None for step in plan.steps if isinstance(step, Create))
    assert again.account == HERE


def test_a_canary_that_expired_decides_nothing() -> None:
    made = canary(OK=30, NO_RESULT=20)
    assert made.record is not None
    ended = replace(made.record.attempts[0], state="JOB_STATE_EXPIRED")
    record = row(made.wanted, ended)
    (plan,) = replace(made, record=record, look=look(seen(ended)), inventory=kept(ended)).decide().jobs
    assert plan.code not in {Reason.CANARY_PASSED, Reason.CANARY_FAILED}


def test_a_cancelled_job_does_not_go_on_after_its_canary() -> None:
    (plan,) = ordered(canary(OK=50)).decide().jobs
    assert not [step for step in plan.steps if isinstance(step, Create)]


def test_changed_work_has_a_canary_of_its_own() -> None:
    made = canary(OK=50)
    assert made.wanted is not None
    other = replace(made.wanted, digest=job(work="2").digest)
    (plan,) = replace(made, wanted=other).decide().jobs
    assert [step.rows.most for step in plan.steps if isinstance(step, Create)] == [50]


def test_rows_that_were_not_sent_are_no_failures() -> None:
    counts = RowCounts(1000, 48, 2, {"OK": 48, "SAFETY": 2, "NOT_SENT": 950})
    assert (counts.not_sent, counts.bad_codes) == (950, ("2 SAFETY",))
    canary = RowsSent(50, 1000, "", is_canary=True)
    assert row_words(collected(rows=counts, sent=canary)) == "2 of 1000 rows failed (2 SAFETY)"


def test_rows_without_a_result_are_counted_beside_the_failed_ones() -> None:
    counts = RowCounts(10, 5, 2, {"OK": 5, "SAFETY": 2, "NO_RESULT": 3})
    assert row_words(collected(rows=counts)) == "2 of 10 rows failed (2 SAFETY); 3 of 10 rows have no result"


def accepted(made: Situation) -> Situation:
    """The same after `batchctl retry --accept-canary`."""
    assert made.record is not None
    assert made.wanted is not None
    return replace(made, record=with_row(made.record, canary_accepted=made.wanted.digest))


def again(ended: RecordedAttempt, *, by_order: bool = False) -> list[int | None]:
    """The rows of the next create call after an attempt, of a job with a canary that is tried again: None is all."""
    manifest = wanted(1000, lifecycle=job(retry_on=frozenset({"FAILED", "EXPIRED"}), backoff_limit=2).lifecycle)
    record = with_row(row(manifest, ended), retry_requested=NOW if by_order else None)
    (plan,) = Situation(manifest, record, look(seen(ended)), inventory=kept(ended)).decide().jobs
    return [step.rows.most for step in plan.steps if isinstance(step, Create)]


BAD = {"verdicts": {"SAFETY": 50}}


@pytest.mark.parametrize(
    ("ended", "most"),
    [
        (attempt(1, "FAILED", sent=RowsSent(1000, 1000, "")), None),
        (attempt(1, "FAILED", sent=None), None),
        (attempt(1, "FAILED", sent=RowsSent(50, 1000, "", is_canary=True)), 50),
        (attempt(1, "EXPIRED", results="a/1", sent=RowsSent(50, 1000, "", is_canary=True, **BAD)), 50),
        (attempt(1, "EXPIRED", results="a/1", sent=RowsSent(50, 1000, "", is_canary=True, verdicts={"OK": 50})), None),
    ],
    ids=["all rows were sent", "an earlier release", "no results", "no good row", "all its rows are good"],
)
def test_a_canary_comes_first_until_one_has_passed(ended: RecordedAttempt, most: int | None) -> None:
    assert again(ended) == [most]


def test_a_failed_canary_is_tried_again_by_order() -> None:
    sent = RowsSent(50, 1000, "", is_canary=True, **BAD)
    bad = collected(sent=sent, rows=RowCounts(1000, 0, 50))
    assert again(bad, by_order=True) == [50]


def test_a_canary_that_the_manifest_no_longer_has_cannot_be_accepted() -> None:
    made = canary(OK=40, SAFETY=10)
    assert made.wanted is not None
    made = replace(made, wanted=replace(made.wanted, canary=None), options=ACCEPT)
    (plan,) = made.decide().jobs
    assert (plan.code, plan.guard is not None) == (Reason.RETRY_REFUSED, True)
    assert "no failed canary" in plan.reason


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (canary(OK=50), "the canary passed: 50 of 50 rows are good; the other 950 rows follow"),
        (canary(of=51, OK=50), "the canary passed: 50 of 50 rows are good; the other 1 row follows"),
        (accepted(canary(OK=40, SAFETY=10)), "the canary failed and was accepted: 40 of 50 rows are good"),
    ],
)
def test_the_reason_says_what_the_canary_showed(made: Situation, words: str) -> None:
    (plan,) = made.decide().jobs
    assert plan.reason.startswith(words)
