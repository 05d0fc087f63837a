"""What follows from the verdicts on rows: the phase, retries, dependants, and a manifest that changes its mind."""

from __future__ import annotations

import pytest

from batchctl.model.observed import Gone, RowCounts
from batchctl.model.reasons import Reason
from batchctl.model.row_settings import MaxFailedRows, RowSettings
from batchctl.model.states import Phase
from batchctl.model.steps import Note
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.judged_rows import judge_view
from tests.support.decisions import Situation, attempt, collected, decide, job, kept, look, one, row, seen, show
from tests.support.values import replace

CUT = {"OK": 7, "MAX_TOKENS": 2, "SAFETY": 1}
SOME = RowCounts(10, 7, 3, CUT)
NONE_GOOD = RowCounts(3, 0, 3, {"SAFETY": 2, "MAX_TOKENS": 1})
PARTIAL = "PARTIALLY_SUCCEEDED"


def limit(text: str) -> MaxFailedRows:
    return MaxFailedRows(text)


@pytest.mark.parametrize(
    ("state", "rows", "text", "phase"),
    [
        ("SUCCEEDED", SOME, None, Phase.SUCCEEDED),
        ("SUCCEEDED", SOME, "3", Phase.SUCCEEDED),
        ("SUCCEEDED", SOME, "30%", Phase.SUCCEEDED),
        ("SUCCEEDED", SOME, "2", Phase.FAILED),
        ("SUCCEEDED", SOME, "29.9%", Phase.FAILED),
        (PARTIAL, SOME, None, Phase.PARTIALLY_SUCCEEDED),
        (PARTIAL, SOME, "3", Phase.SUCCEEDED),
        (PARTIAL, SOME, "0", Phase.FAILED),
        ("SUCCEEDED", RowCounts(10, 10, 0, {"OK": 10}), "0", Phase.SUCCEEDED),
        ("SUCCEEDED", RowCounts(10, 9, 0, {"OK": 9, "NO_RESULT": 1}), "0", Phase.FAILED),
        ("SUCCEEDED", NONE_GOOD, None, Phase.FAILED),
        ("SUCCEEDED", NONE_GOOD, "100%", Phase.FAILED),
    ],
)
def test_the_limit_decides_on_the_phase(state: str, rows: RowCounts, text: str | None, phase: Phase) -> None:
    settings = {} if text is None else {"max_failed_rows": limit(text)}
    assert one(collected(1, state, rows=rows), **settings).decide().jobs[0].phase is phase


def test_the_reason_counts_the_rows_by_verdict() -> None:
    (planned,) = one(collected(rows=SOME), max_failed_rows=limit("2")).decide().jobs
    assert planned.code is Reason.MAX_FAILED_ROWS
    assert planned.reason == (
        "3 of 10 rows failed (2 MAX_TOKENS, 1 SAFETY); maxFailedRows is 2; "
        "batchctl does not buy its good rows again by itself"
    )
    (planned,) = one(collected(rows=SOME)).decide().jobs
    assert (planned.code, planned.reason) == (Reason.ROWS_FAILED, "3 of 10 rows failed (2 MAX_TOKENS, 1 SAFETY)")


def test_good_rows_are_not_bought_again_by_a_retry_and_a_job_without_any_is() -> None:
    kept_back = one(collected(rows=SOME), max_failed_rows=limit("2"), backoff_limit=3)
    assert "create" not in show(kept_back.decide())
    whole = one(collected(rows=NONE_GOOD), max_failed_rows=limit("2"), backoff_limit=3)
    assert "create a@2.0" in show(whole.decide())


def test_a_partial_end_that_is_to_be_retried_is_retried() -> None:
    partial = one(
        collected(1, PARTIAL, rows=SOME),
        max_failed_rows=limit("2"),
        backoff_limit=1,
        retry_on=frozenset({PARTIAL, "FAILED"}),
    )
    assert "create a@2.0" in show(partial.decide())


def changed(situation: Situation, *accept: str) -> Situation:
    assert situation.wanted is not None
    return replace(situation, wanted=replace(situation.wanted, row_settings=RowSettings(frozenset(accept))))


def test_a_verdict_that_is_accepted_later_counts_at_once_and_costs_nothing() -> None:
    failed = one(collected(rows=SOME), max_failed_rows=limit("1"))
    assert failed.decide().jobs[0].phase is Phase.FAILED
    (planned,) = changed(failed, "MAX_TOKENS").decide().jobs
    assert planned.phase is Phase.SUCCEEDED
    assert planned.attempt is not None
    assert (planned.attempt.rows.ok, planned.attempt.rows.failed, planned.attempt.rows.verdicts) == (9, 1, CUT)
    assert [change.path for change in planned.changes] == ["spec.rows.accept"]
    assert not planned.buys


@pytest.mark.parametrize(("before", "after"), [(None, Note.REFRESHED), (Note.ADOPTED, Note.ADOPTED)])
def test_a_change_of_judgement_is_recorded(before: Note | None, after: Note) -> None:
    view = AttemptView(collected(rows=SOME), Gone(), before)
    assert judge_view(view, job()) == view, "the record already judges as the manifest does"
    judged = judge_view(view, replace(job(), row_settings=RowSettings(frozenset({"MAX_TOKENS"}))))
    assert (judged.note, judged.attempt.rows.ok) == (after, 9)


def test_what_is_not_collected_is_not_judged() -> None:
    ended = one(attempt(1, "SUCCEEDED", rows=RowCounts(10, 1, 9)), max_failed_rows=limit("1"))
    assert show(ended.decide()) == "collect Succeeded | collect a@1.0"


def test_dependants_wait_for_good_rows() -> None:
    for text, is_blocked in (("3", False), ("2", True)):
        first = job("b", max_failed_rows=limit(text))
        second = job("a", needs=("b",))
        record = row(first, replace(collected(name="b", rows=SOME), results="b/1"))
        made = decide([first, second], [record], [look(seen(record.attempts[0]))])
        found = {planned.job: planned.phase for planned in made.jobs}
        assert (found["a"] is Phase.BLOCKED) == is_blocked


def test_results_of_a_lost_state_that_fail_by_the_limit_are_not_bought_again() -> None:
    wanted = job(max_failed_rows=limit("1"))
    made = decide([wanted], [], [look()], inventory=kept(collected(rows=SOME)))
    (planned,) = made.jobs
    assert (planned.phase, planned.buys) == (Phase.FAILED, False)
