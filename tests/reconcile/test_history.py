"""The history outlives the jobs: the times that are kept of forgotten attempts, and how they count."""

from __future__ import annotations

from datetime import timedelta

from batchctl.model.admission import QuotaKey
from batchctl.model.history import MOST_PAST, PAST_SLACK, PastAttempt, size_class, size_words
from batchctl.model.recorded import Recorded
from batchctl.reconcile.forecast.learn import learn_history, past_of, too_old
from tests.support.decisions import HERE, HOUR, NOW, THERE, attempt, unanswered
from tests.support.past_jobs import MINUTE, history, past_attempt
from tests.support.values import replace

KEY = QuotaKey(HERE, "gemini-2.5-flash")
VERTEX = QuotaKey(THERE, "gemini-2.5-flash")


def test_sizes_are_powers_of_ten() -> None:
    assert [size_class(rows) for rows in (0, 1, 9, 10, 99, 100, 9_999, 10_000)] == [0, 0, 0, 1, 1, 2, 3, 4]
    assert [size_words(rows) for rows in (1, 1000, 200_000)] == [
        "1 to 9 rows",
        "1,000 to 9,999 rows",
        "100,000 to 999,999 rows",
    ]


def test_attempts_that_ended_are_kept_with_their_model_and_rows() -> None:
    one = past_attempt(1, MINUTE, HOUR, tree={"model": "models/gemini-2.5-pro"})
    other = past_attempt(2, None, HOUR, tree={}, state="EXPIRED")
    never = [attempt(3), unanswered(4), attempt(5, "FAILED", create_time=None), attempt(6, "FAILED", end_time=None)]
    assert past_of([one, other, *never], "publishers/google/models/gemini-x") == [
        PastAttempt(
            HERE,
            "batches/past-1",
            "gemini-2.5-pro",
            10,
            "JOB_STATE_SUCCEEDED",
            one.create_time or NOW,
            one.start_time,
            one.end_time or NOW,
        ),
        PastAttempt(
            HERE,
            "batches/past-2",
            "gemini-x",
            10,
            "JOB_STATE_EXPIRED",
            other.create_time or NOW,
            None,
            other.end_time or NOW,
        ),
    ]


def test_the_newest_are_kept() -> None:
    (one,) = past_of([past_attempt(1, MINUTE, HOUR)], "x")
    many = [
        replace(one, remote=f"batches/{number}", end_time=NOW + timedelta(seconds=number))
        for number in range(MOST_PAST + PAST_SLACK + 1)
    ]
    assert too_old(many) == many[PAST_SLACK::-1]
    assert too_old(many[1:]) == []


def test_forgotten_attempts_count_like_those_that_are_recorded() -> None:
    job = history()
    kept = tuple(past_of(job.attempts, job.row.model))
    assert learn_history(Recorded(history=kept)) == learn_history(Recorded({"past": job}))
    # One that is in both counts once.
    assert learn_history(Recorded({"past": job}, history=kept)) == learn_history(Recorded({"past": job}))


def test_a_forgotten_attempt_that_never_began_counts_where_the_api_reports_starts() -> None:
    stopped = [past_attempt(1, None, HOUR, state="CANCELLED", account=account) for account in (HERE, THERE)]
    found = learn_history(Recorded(history=tuple(past_of(stopped, "gemini-2.5-flash"))))
    assert {key: len(spans) for key, spans in found.pending.items()} == {KEY: 0, VERTEX: 1}


def test_attempts_without_a_number_of_rows_count_for_the_queue_alone() -> None:
    one = replace(past_attempt(1, MINUTE, HOUR), rows=replace(past_attempt(1, MINUTE, HOUR).rows, total=None))
    found = learn_history(Recorded(history=tuple(past_of([one], "x"))))
    assert (found.by_size, len(found.pending[KEY])) == ({}, 1)
