"""Row `yes | other digest | any | by onChange`: replace, keep, fail; earlier results used again; moved accounts."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.decision import Change
from batchctl.model.desired import DesiredJob
from batchctl.model.lifecycle import OnChange, OnMissing
from batchctl.reconcile import Options
from tests.support.decisions import (
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    THERE,
    Situation,
    attempt,
    collected,
    decide,
    digest,
    job,
    look,
    row,
    seen,
    show,
)
from tests.support.values import replace

NEW = job(work="2")


def changed(*records: RecordedAttempt, wanted: DesiredJob = NEW, options: Options | None = None) -> Situation:
    """Job `a` with these attempts, all of them present; its manifest asks for other work by now."""
    before = replace(wanted, digest=digest("1"))
    jobs = (seen(record) for record in records)
    return Situation(wanted, row(before, *records), look(*jobs), options or Options())


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            changed(attempt()),
            "replace Active unfinished consent | cancel a@1.0 replace",
            id="active: cancel the old and wait",
        ),
        pytest.param(
            changed(attempt(1, "CANCELLING", cancel_time=NOW - SECOND, cancel_cause=CancelCause.REPLACE)),
            "replace Cancelling unfinished",
            id="active, cancel sent: wait, agreed to already",
        ),
        pytest.param(
            changed(attempt(1, cancel_time=NOW - MINUTE + SECOND, cancel_cause=CancelCause.REPLACE)),
            "replace Cancelling unfinished",
            id="active, cancel sent a second less than a minute ago: wait",
        ),
        pytest.param(
            changed(attempt(1, cancel_time=NOW - MINUTE, cancel_cause=CancelCause.REPLACE)),
            "replace Cancelling unfinished | cancel a@1.0 replace",
            id="active, cancel sent a minute ago: sent again",
        ),
        pytest.param(
            changed(attempt(1, "CANCELLED", cancel_time=NOW, cancel_cause=CancelCause.REPLACE)),
            "replace Cancelled | collect a@1.0 | delete a@1.0 | record job a@2 | create a@2.0",
            id="cancelled by us: collect, delete, create",
        ),
        pytest.param(
            changed(attempt(1, "SUCCEEDED")),
            "replace Succeeded consent | collect a@1.0 | delete a@1.0 | record job a@2 | create a@2.0",
            id="succeeded, not collected: collect before delete",
        ),
        pytest.param(
            changed(attempt(1, "SUCCEEDED"), options=Options(discard_results=True)),
            "replace Succeeded consent | delete a@1.0 | record job a@2 | create a@2.0",
            id="succeeded, not collected, --discard-results: delete",
        ),
        pytest.param(
            changed(collected()),
            "replace Succeeded consent | delete a@1.0 | record job a@2 | create a@2.0",
            id="succeeded and collected: delete, create",
        ),
        pytest.param(
            changed(attempt(1, "FAILED")),
            "replace Failed consent | collect a@1.0 | delete a@1.0 | record job a@2 | create a@2.0",
            id="failed: collect what there is, delete, create",
        ),
        pytest.param(changed(attempt(1, "BREWING")), "wait Unknown", id="a state we do not know: wait"),
        pytest.param(changed(attempt(1, "PAUSED")), "wait Unknown", id="PAUSED: wait"),
        pytest.param(
            changed(attempt(1, "FAILED"), attempt(2)),
            "replace Active unfinished consent | cancel a@2.0 replace",
            id="an older attempt has ended, the current one works: cancel first",
        ),
        pytest.param(
            changed(attempt(1, "PAUSED"), attempt(2, "FAILED")), "wait Failed", id="an older attempt is PAUSED: wait"
        ),
        pytest.param(
            changed(collected(1, work="3"), attempt(2, "FAILED", results="a/2")),
            "replace Failed consent | delete a@1.0 | delete a@2.0 | record job a@3 | create a@3.0",
            id="several have ended: all are deleted",
        ),
        pytest.param(
            Situation(NEW, row(job(), attempt()), look(gone=["batches/a-1"])),
            "replace Failed consent | record a@1.0 gone | record job a@2 | create a@2.0 | ~ Missing",
            id="gone: create",
        ),
        pytest.param(Situation(NEW, row(job(), attempt()), look()), "wait Unknown", id="not known in this pass: wait"),
        pytest.param(
            Situation(NEW, row(job(), attempt(1), attempt(2)), look(seen(attempt(2)))),
            "wait Active",
            id="an older attempt is not known in this pass: wait",
        ),
        pytest.param(
            changed(attempt(), wanted=job(work="2", suspend=True)), "wait Active", id="suspended: the old is followed"
        ),
        pytest.param(
            replace(changed(attempt(1, "SUCCEEDED")), suspended=True),
            "collect Succeeded | collect a@1.0",
            id="stack suspended: the old is followed and collected",
        ),
        pytest.param(
            changed(attempt(), wanted=job(work="2", on_change=OnChange.KEEP)),
            "wait Active",
            id="onChange keep: the old is followed",
        ),
        pytest.param(
            changed(attempt(1, "SUCCEEDED"), wanted=job(work="2", on_change=OnChange.KEEP)),
            "collect Succeeded | collect a@1.0",
            id="onChange keep: the old is collected",
        ),
        pytest.param(
            changed(attempt(), wanted=job(work="2", on_change=OnChange.KEEP, active_deadline=SECOND)),
            "cancel Active unfinished | cancel a@1.0 deadline",
            id="onChange keep: deadlines go on",
        ),
        pytest.param(
            changed(attempt(), wanted=job(work="2", on_change=OnChange.FAIL)),
            "replace Active unfinished | ! OnChangeFail",
            id="onChange fail: refused, the old is followed",
        ),
        pytest.param(
            changed(attempt(1, "SUCCEEDED"), wanted=job(work="2", on_change=OnChange.FAIL)),
            "replace Succeeded unfinished | collect a@1.0 | ! OnChangeFail",
            id="onChange fail: refused, the old is collected",
        ),
        pytest.param(
            changed(attempt(), wanted=job(work="2", on_change=OnChange.FAIL, active_deadline=SECOND)),
            "replace Active unfinished | cancel a@1.0 deadline | ! OnChangeFail",
            id="onChange fail: deadlines go on",
        ),
        pytest.param(
            changed(attempt(1, "FAILED"), wanted=job(work="2", on_change=OnChange.FAIL, backoff_limit=1)),
            "replace Failed unfinished | collect a@1.0 | ! OnChangeFail",
            id="onChange fail: the old is collected, and its retry is not bought",
        ),
        pytest.param(
            Situation(
                job(work="2", on_change=OnChange.FAIL, on_missing=OnMissing.RECREATE),
                row(job(on_change=OnChange.FAIL, on_missing=OnMissing.RECREATE), attempt(gone_time=LOCAL)),
            ),
            "replace Failed | ! OnChangeFail | ~ Missing",
            id="onChange fail: what went missing is not made again",
        ),
    ],
)
def test_on_change(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            changed(collected(1, work="2"), collected(2)),
            "replace Succeeded consent | delete a@2.0 | record job a@1",
            id="back to an earlier digest whose results are kept: reuse them, remove the newer",
        ),
        pytest.param(
            changed(collected(1, work="2"), attempt(2, "SUCCEEDED")),
            "replace Succeeded consent | collect a@2.0 | delete a@2.0 | record job a@1",
            id="back to an earlier digest: what the newer brought is collected",
        ),
        pytest.param(
            changed(collected(1, work="2"), attempt(2)),
            "replace Active unfinished consent | cancel a@2.0 replace",
            id="back to an earlier digest, the newer works: cancel it first",
        ),
        pytest.param(
            Situation(NEW, row(job(), collected(1, work="2", gone_time=NOW), collected(2, delete_time=NOW)), look()),
            "reuse Succeeded | record job a@1",
            id="back to an earlier digest, nothing left to remove: reuse",
        ),
        pytest.param(
            changed(collected(1, "PARTIALLY_SUCCEEDED", work="2"), collected(2)),
            "replace Succeeded consent | delete a@2.0 | record job a@1",
            id="back to an earlier digest that succeeded in part: reuse",
        ),
        pytest.param(
            changed(attempt(1, "SUCCEEDED", work="2"), collected(2)),
            "replace Succeeded consent | collect a@1.0 | delete a@2.0 | record job a@1",
            id="back to an earlier digest whose results are at the API yet: collected and reused",
        ),
        pytest.param(
            changed(attempt(1, "FAILED", work="2", results="a/1"), collected(2)),
            "replace Succeeded consent | delete a@1.0 | delete a@2.0 | record job a@3 | create a@3.0",
            id="back to an earlier digest that failed: bought again",
        ),
        pytest.param(
            Situation(
                NEW,
                row(job(), *(collected(n, work=w, gone_time=NOW) for n, w in ((1, "2"), (2, "2"), (3, "1")))),
            ),
            "reuse Succeeded | record job a@2",
            id="two earlier attempts did it: the newer counts",
        ),
    ],
)
def test_back_to_an_earlier_digest(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_reused_attempt_is_followed_from_then_on() -> None:
    records = (collected(1, work="2", gone_time=NOW), collected(2, delete_time=NOW))
    made = Situation(NEW, row(job(), *records, current=1)).decide()

    assert show(made) == "none Succeeded"
    assert made.jobs[0].attempt == records[0]


def test_moved_to_another_account() -> None:
    moved = job(account=THERE, work="2")
    record = row(job(), collected())
    old, new = look(seen(collected())), look(account=THERE)

    assert show(decide([moved], [record], [old, new])) == (
        "replace Succeeded consent | record job a@1 | delete a@1.0 | record job a@2 | create a@2.0"
    )
    assert show(decide([moved], [record], [new])) == "wait Succeeded | record job a@1"
    assert show(decide([moved], [record], [old])) == "wait Succeeded | record job a@1"


def test_changes_name_what_differs() -> None:
    made = changed(attempt()).decide().jobs[0]

    assert made.changes == (Change("spec.runId", "1", "2"),)


def test_changes_of_work_that_nobody_recorded_are_told_by_the_digest() -> None:
    made = changed(attempt(tree={})).decide().jobs[0]

    assert made.changes == (Change("digest", digest("1"), digest("2")),)


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        pytest.param(changed(attempt()), "its work changed; the old job is to be cancelled first", id="active"),
        pytest.param(changed(collected()), "its work changed", id="ended"),
        pytest.param(
            changed(collected(1, work="2"), collected(2)), "changed back: attempt 1 has its results", id="reuse"
        ),
        pytest.param(
            changed(attempt(), wanted=job(work="2", on_change=OnChange.KEEP)),
            "running; its work changed, and the old is kept (onChange: keep)",
            id="keep",
        ),
        pytest.param(
            changed(attempt(), wanted=job(work="2", on_change=OnChange.FAIL)),
            "running; its work changed (onChange: fail)",
            id="fail",
        ),
        pytest.param(
            changed(attempt(1, "PAUSED")),
            "its work changed, but the API says JOB_STATE_PAUSED, which is a state that batchctl does not know",
            id="unknown state",
        ),
    ],
)
def test_reasons(situation: Situation, words: str) -> None:
    assert situation.decide().jobs[0].reason == words


def test_a_refused_change_shows_when_the_old_attempt_is_due() -> None:
    wanted = job(work="2", on_change=OnChange.FAIL, active_deadline=2 * HOUR)

    made = changed(attempt(), wanted=wanted).decide().jobs[0]

    assert made.next_time == NOW + HOUR
    assert made.changes
    assert made.guard is not None
    assert made.guard.way_out == "undo the change, or set spec.lifecycle.onChange: replace"


@pytest.mark.parametrize(
    ("cancelled", "words"),
    [
        ((), "to be cancelled first"),
        ((1,), "cancelling"),
        ((1, 2), "cancelling"),
    ],
)
def test_the_reason_says_whether_an_old_job_is_cancelling_already(cancelled: tuple[int, ...], words: str) -> None:
    sent = {"cancel_time": NOW, "cancel_cause": CancelCause.REPLACE}
    records = [attempt(number, **(sent if number in cancelled else {})) for number in (1, 2)]
    (planned,) = changed(*records).decide().jobs
    assert planned.reason == f"its work changed; the old job is {words}"
