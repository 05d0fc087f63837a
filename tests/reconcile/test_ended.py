"""Rows of the decision table about a desired job that has ended: collect, ttl, gone with and without its results."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.lifecycle import OnMissing
from batchctl.model.observed import RowCounts
from batchctl.reconcile import Options
from tests.support.decisions import (
    HOUR,
    LOCAL,
    NOW,
    SECOND,
    Situation,
    attempt,
    collected,
    job,
    look,
    one,
    row,
    seen,
    show,
    vanished,
)
from tests.support.values import replace

RUNNING = attempt(1)


# --- yes | same digest | succeeded | collect if not collected; then nothing; ttl over: delete


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            one(RUNNING, "SUCCEEDED"),
            "collect Succeeded | record a@1.0 refreshed | collect a@1.0",
            id="succeeded, not collected: collect",
        ),
        pytest.param(one(collected()), "none Succeeded", id="succeeded and collected: nothing"),
        pytest.param(one(collected(), suspend=True), "none Succeeded", id="succeeded, collected, suspended: nothing"),
        pytest.param(
            one(attempt(1, "SUCCEEDED"), suspend=True),
            "collect Succeeded | collect a@1.0",
            id="succeeded, suspended: collect all the same",
        ),
        pytest.param(
            one(collected(end_time=NOW - HOUR + SECOND), ttl_after_finished=HOUR),
            "none Succeeded",
            id="ttl over in one second: nothing",
        ),
        pytest.param(
            one(collected(end_time=NOW - HOUR), ttl_after_finished=HOUR),
            "delete Succeeded | delete a@1.0",
            id="ttl just over: delete",
        ),
        pytest.param(
            one(collected(end_time=NOW - HOUR - SECOND), ttl_after_finished=HOUR),
            "delete Succeeded | delete a@1.0",
            id="ttl over since one second: delete",
        ),
        pytest.param(
            one(attempt(1, "SUCCEEDED"), ttl_after_finished=SECOND),
            "collect Succeeded | collect a@1.0",
            id="ttl over, not collected: collect, and delete in a later pass",
        ),
        pytest.param(
            one(attempt(1, "FAILED"), ttl_after_finished=SECOND),
            "delete Failed | collect a@1.0 | delete a@1.0",
            id="ttl over, failed: collect what there is, delete",
        ),
        pytest.param(
            one(collected(end_time=None), ttl_after_finished=SECOND),
            "none Succeeded",
            id="ttl, but nobody knows since when: nothing",
        ),
        pytest.param(
            one(attempt(1, "SUCCEEDED", results_lost=True)),
            "none ResultsLost",
            id="the API has its results no more: nothing, for ever",
        ),
        pytest.param(
            one(attempt(1, "SUCCEEDED", results_lost=True), ttl_after_finished=SECOND),
            "delete ResultsLost | delete a@1.0",
            id="the API has its results no more, ttl over: delete without a collect",
        ),
        pytest.param(
            one(attempt(1, "FAILED", results_lost=True)),
            "none Failed",
            id="failed, and the API has its results no more: failed",
        ),
        pytest.param(
            vanished(collected(delete_time=NOW, end_time=NOW - 2 * HOUR), ttl_after_finished=HOUR),
            "none Succeeded",
            id="ttl over and deleted: nothing",
        ),
        pytest.param(
            one(collected(rows=RowCounts(10, 3, 7))), "none Succeeded", id="succeeded with failed rows: a success"
        ),
        pytest.param(
            one(collected(rows=RowCounts(10, 0, 10))), "none Failed", id="succeeded, and no row succeeded: failed"
        ),
        pytest.param(
            one(collected(rows=RowCounts(0, 0, 0))), "none Succeeded", id="succeeded without any row: a success"
        ),
        pytest.param(
            one(collected(rows=RowCounts(10, None, None))), "none Succeeded", id="succeeded, rows not told: a success"
        ),
        pytest.param(
            one(attempt(1, "SUCCEEDED", rows=RowCounts(10, 0, 10))),
            "collect Succeeded | collect a@1.0",
            id="no row succeeded, says the API's stale count: collect first",
        ),
        pytest.param(
            one(collected(rows=RowCounts(10, 0, 10)), backoff_limit=1),
            "retry Waiting | record job a@2 | create a@2.0",
            id="succeeded, no row succeeded, retries left: retried as FAILED",
        ),
        pytest.param(
            one(collected(rows=RowCounts(10, 0, 10)), backoff_limit=1, retry_on=frozenset({"EXPIRED"})),
            "none Failed",
            id="succeeded, no row succeeded, FAILED not in retryOn: report",
        ),
    ],
)
def test_succeeded(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_ttl_shows_when_it_will_be_over() -> None:
    made = one(collected(end_time=NOW), ttl_after_finished=HOUR).decide()

    assert made.jobs[0].next_time == NOW + HOUR


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param(RowCounts(10, 10, 0), "succeeded", id="all rows"),
        pytest.param(RowCounts(10, 7, 3), "3 of 10 rows failed", id="some rows"),
        pytest.param(RowCounts(10, 0, 10), "all 10 rows failed; backoffLimit is 0", id="no row"),
        pytest.param(RowCounts(4, 3, 0), "succeeded; 1 of 4 rows has no result", id="a row is missing"),
        pytest.param(
            RowCounts(9, 5, 2), "2 of 9 rows failed; 2 of 9 rows have no result", id="some failed, some are missing"
        ),
        pytest.param(
            RowCounts(4, 0, 3),
            "3 of 4 rows failed; 1 of 4 rows has no result; backoffLimit is 0",
            id="no row succeeded, one is missing",
        ),
        pytest.param(
            RowCounts(4, 0, 0),
            "no result matches any of its 4 rows; the results are kept, see `batchctl results`; "
            "batchctl does not buy it again by itself",
            id="no row could be placed",
        ),
        pytest.param(RowCounts(0, 0, 0), "succeeded", id="it had no rows"),
        pytest.param(RowCounts(4, None, None), "succeeded", id="only their number is known"),
        pytest.param(RowCounts(None, 2, None), "succeeded", id="only the good ones are known"),
    ],
)
def test_a_success_is_explained(rows: RowCounts, words: str) -> None:
    assert one(collected(rows=rows)).decide().jobs[0].reason == words


def test_a_job_of_whose_rows_none_could_be_placed_has_failed_and_is_left_alone() -> None:
    """Its answers were paid for, and are all that there is: no retry, no delete when its time is over."""
    unplaced = collected(rows=RowCounts(4, 0, 0), end_time=NOW - 2 * HOUR)
    assert show(one(unplaced, backoff_limit=3, ttl_after_finished=HOUR).decide()) == "none Failed"
    assert show(one(replace(unplaced, rows=RowCounts(4, 1, 0)), ttl_after_finished=HOUR).decide()) == (
        "delete Succeeded | delete a@1.0"
    )


def test_what_is_not_collected_yet_may_be_unplaced_and_is_not_deleted_in_the_same_pass() -> None:
    ended = attempt(1, "SUCCEEDED", end_time=NOW - 2 * HOUR)
    assert show(one(ended, ttl_after_finished=HOUR).decide()) == "collect Succeeded | collect a@1.0"
    discarded = replace(one(ended, ttl_after_finished=HOUR), options=Options(discard_results=True))
    assert show(discarded.decide()) == "delete Succeeded | delete a@1.0"


def test_before_the_collection_no_row_counts_as_missing() -> None:
    situation = one(attempt(1, "SUCCEEDED", rows=RowCounts(4, 3, 0)))
    assert situation.decide().jobs[0].reason == "succeeded; results not collected yet"


# --- yes | same digest | partially succeeded | collect; retried only if `retryOn` says so

PARTIALLY = frozenset({"PARTIALLY_SUCCEEDED"})


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            one(attempt(1, "PARTIALLY_SUCCEEDED")),
            "collect PartiallySucceeded | collect a@1.0",
            id="partially succeeded: collect",
        ),
        pytest.param(
            one(collected(1, "PARTIALLY_SUCCEEDED"), backoff_limit=3),
            "none PartiallySucceeded",
            id="collected, retryOn does not name it: nothing",
        ),
        pytest.param(
            one(collected(1, "PARTIALLY_SUCCEEDED"), backoff_limit=1, retry_on=PARTIALLY),
            "retry Waiting | record job a@2 | create a@2.0",
            id="collected, retryOn names it: retry",
        ),
        pytest.param(
            one(attempt(1, "PARTIALLY_SUCCEEDED"), backoff_limit=1, retry_on=PARTIALLY),
            "retry Waiting | collect a@1.0 | record job a@2 | create a@2.0",
            id="not collected, retryOn names it: collect, then retry",
        ),
        pytest.param(
            one(collected(1, "PARTIALLY_SUCCEEDED"), retry_on=PARTIALLY),
            "none PartiallySucceeded",
            id="retryOn names it, no retries left: report",
        ),
    ],
)
def test_partially_succeeded(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


# --- yes | same digest, was finished | gone | collected: nothing; not collected: ResultsLost


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            vanished(collected()),
            "none Succeeded | record a@1.0 gone",
            id="finished, collected, gone: nothing",
        ),
        pytest.param(
            replace(vanished(collected()), confirmed=False),
            "none Succeeded | record a@1.0 not found | ~ Vanished",
            id="finished, collected, missing: nothing, and drift until it is written down",
        ),
        pytest.param(
            vanished(collected(gone_time=LOCAL)), "none Succeeded", id="finished, gone, written down: nothing"
        ),
        pytest.param(
            Situation(job(), row(job(), collected(gone_time=LOCAL)), look(seen(collected()))),
            "none Succeeded | record a@1.0 refreshed",
            id="it was gone, and is back",
        ),
        pytest.param(
            vanished(attempt(1, "SUCCEEDED"), on_missing=OnMissing.RECREATE, backoff_limit=9),
            "none ResultsLost | record a@1.0 gone | ~ Vanished",
            id="finished, not collected, gone: ResultsLost, batchctl does not buy it again by itself",
        ),
        pytest.param(
            vanished(attempt(1, "PARTIALLY_SUCCEEDED", gone_time=LOCAL), backoff_limit=9, retry_on=PARTIALLY),
            "none ResultsLost",
            id="partially succeeded, not collected, gone: ResultsLost",
        ),
        pytest.param(
            vanished(attempt(1, "FAILED")),
            "none Failed | record a@1.0 gone | ~ Vanished",
            id="failed, gone: nothing is left to collect",
        ),
        pytest.param(
            vanished(attempt(1, "SUCCEEDED", delete_time=NOW)),
            "none Succeeded",
            id="deleted by us with --discard-results: nothing",
        ),
        pytest.param(
            Situation(job(), row(job(), collected()), look()),
            "none Succeeded",
            id="collected, the list lacks it, nobody asked: nothing",
        ),
        pytest.param(
            Situation(job(), row(job(), collected()), look(complete=False, gone=["batches/a-1"])),
            "none Succeeded",
            id="collected, a page failed: nothing",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt(1, "SUCCEEDED")), look(complete=False, gone=["batches/a-1"])),
            "wait Succeeded",
            id="succeeded, not collected, a page failed: wait",
        ),
    ],
)
def test_finished_and_gone(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("record", "backoff_limit", "expected"),
    [
        (attempt(1, "SUCCEEDED"), 0, "wait Succeeded"),
        (attempt(1, "FAILED"), 1, "wait Waiting"),
        (attempt(1, "FAILED", results="a/1"), 1, "wait Waiting"),
        (attempt(1, "FAILED", results="a/1"), 0, "none Failed"),
    ],
)
def test_an_end_on_record_counts_while_its_account_cannot_be_read(
    record: RecordedAttempt, backoff_limit: int, expected: str
) -> None:
    """And what follows from it waits, until the job is seen."""
    wanted = job(backoff_limit=backoff_limit)
    made = Situation(wanted, row(wanted, record), look(complete=False)).decide()
    assert show(made) == expected
    assert made.jobs[0].reason.endswith("not seen in this pass: page 2 failed")
    assert (made.jobs[0].code == "Unseen") is (expected != "none Failed")


@pytest.mark.parametrize(
    ("record", "expected", "code"),
    [
        pytest.param(
            attempt(1, "FAILED", results="a/1", rows=RowCounts(4, 0, 0)),
            "retry Waiting | record job a@2 | create a@2.0",
            "AttemptFailed",
            id="a failure without answers is retried",
        ),
        pytest.param(
            attempt(1, "SUCCEEDED", rows=RowCounts(4, 0, 0)),
            "collect Succeeded | collect a@1.0",
            "NotCollected",
            id="a success is collected before its rows are counted",
        ),
    ],
)
def test_only_the_collected_results_of_a_success_can_match_no_row(
    record: RecordedAttempt, expected: str, code: str
) -> None:
    made = one(record, backoff_limit=1).decide()
    assert (show(made), made.jobs[0].code) == (expected, code)
