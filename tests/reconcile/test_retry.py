"""Row `failed, expired, cancelled`: collect what there is; retry if policy and limit allow, after back-off; else report."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.observed import RowCounts
from batchctl.reconcile.calls.backoff import FIRST_DELAY, LONGEST_DELAY, delay
from tests.support.decisions import (
    FAILURE,
    HOUR,
    LOCAL,
    NOW,
    SECOND,
    Situation,
    attempt,
    collected,
    look,
    one,
    ordered,
    seen,
    several,
    show,
    vanished,
)
from tests.support.values import replace

RUNNING = attempt(1)


# --- yes | same digest | failed, expired, cancelled | collect what there is; retry if policy and limit allow, after
# --- back-off (never after `batchctl cancel`); else report

ANY = frozenset({"FAILED", "EXPIRED", "CANCELLED"})


def just_failed(number: int = 1, ago: timedelta = timedelta(), **fields: object) -> RecordedAttempt:
    return attempt(number, "FAILED", **{"end_time": NOW - ago, "results": f"a/{number}", **fields})


def test_a_failure_is_collected_and_reported() -> None:
    made = one(attempt(1, "FAILED", error=FAILURE)).decide()

    assert show(made) == "collect Failed | collect a@1.0"
    assert made.jobs[0].reason == ("failed: the model is on holiday; backoffLimit is 0; results not collected yet")


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(one(just_failed(ago=HOUR)), "none Failed", id="failed, no retries: report"),
        pytest.param(
            one(just_failed(ago=HOUR), backoff_limit=1),
            "retry Waiting | record job a@2 | create a@2.0",
            id="failed, retries left, back-off over: retry",
        ),
        pytest.param(
            one(attempt(1, "FAILED"), backoff_limit=1),
            "retry Waiting | collect a@1.0 | record job a@2 | create a@2.0",
            id="failed, not collected, back-off over: collect, then retry",
        ),
        pytest.param(
            one(just_failed(results=None), backoff_limit=1),
            "collect Waiting | collect a@1.0",
            id="failed, not collected, back-off running: collect",
        ),
        pytest.param(
            one(just_failed(ago=HOUR), backoff_limit=1, suspend=True),
            "wait Waiting",
            id="failed, retries left, suspended: wait",
        ),
        pytest.param(
            replace(one(just_failed(ago=HOUR), backoff_limit=1), suspended=True),
            "wait Waiting",
            id="failed, retries left, stack suspended: wait",
        ),
        pytest.param(
            one(attempt(1, "EXPIRED", results="a/1"), backoff_limit=1),
            "retry Waiting | record job a@2 | create a@2.0",
            id="expired: retried by default",
        ),
        pytest.param(one(attempt(1, "EXPIRED", results="a/1")), "none Expired", id="expired, no retries: report"),
        pytest.param(
            one(attempt(1, "CANCELLED", results="a/1"), backoff_limit=1),
            "none Cancelled | ~ Cancelled",
            id="cancelled by a stranger: not retried by default, and drift",
        ),
        pytest.param(
            one(attempt(1, "CANCELLED", results="a/1"), backoff_limit=1, retry_on=ANY),
            "retry Waiting | record job a@2 | create a@2.0 | ~ Cancelled",
            id="cancelled by a stranger, retryOn names it: retry",
        ),
        pytest.param(
            one(just_failed(ago=HOUR), backoff_limit=1, retry_on=frozenset({"EXPIRED"})),
            "none Failed",
            id="failed, retryOn does not name it: report",
        ),
        pytest.param(
            one(
                attempt(1, "CANCELLED", results="a/1", cancel_cause=CancelCause.DEADLINE, cancel_time=NOW - HOUR),
                backoff_limit=1,
            ),
            "retry Waiting | record job a@2 | create a@2.0",
            id="cancelled at its deadline: retried as FAILED",
        ),
        pytest.param(
            vanished(just_failed(ago=HOUR, gone_time=LOCAL), backoff_limit=1),
            "retry Waiting | record job a@2 | create a@2.0",
            id="failed and gone, retries left: retry",
        ),
        pytest.param(
            ordered(one(attempt(1, "CANCELLED", results="a/1", cancel_time=NOW), backoff_limit=9, retry_on=ANY)),
            "none Cancelled",
            id="cancelled by batchctl cancel: never retried",
        ),
        pytest.param(
            ordered(one(just_failed(ago=HOUR, cancel_time=NOW), backoff_limit=9, retry_on=ANY)),
            "none Failed",
            id="batchctl cancel, which the API shows as FAILED: never retried",
        ),
        pytest.param(
            ordered(one(attempt(1, "EXPIRED", results="a/1"), backoff_limit=9, retry_on=ANY)),
            "none Expired",
            id="batchctl cancel came after it expired: never retried",
        ),
        pytest.param(
            ordered(one(attempt(1, "SUCCEEDED", cancel_time=NOW, cancel_cause=CancelCause.USER))),
            "collect Succeeded | collect a@1.0",
            id="cancel sent, succeeded meanwhile: a success",
        ),
        pytest.param(
            ordered(one(RUNNING)),
            "cancel Cancelling unfinished | cancel a@1.0 user",
            id="batchctl cancel was asked for, and its cancel did not get through: sent",
        ),
    ],
)
def test_ended_badly(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("early", "expected"),
    [
        pytest.param(SECOND, "wait Waiting", id="one second before"),
        pytest.param(timedelta(), "retry Waiting | record job a@2 | create a@2.0", id="at"),
        pytest.param(-SECOND, "retry Waiting | record job a@2 | create a@2.0", id="one second after"),
    ],
)
def test_back_off(early: timedelta, expected: str) -> None:
    pause = delay(1, attempt(1).token)

    made = one(just_failed(ago=pause - early), backoff_limit=1).decide()

    assert show(made) == expected
    assert made.jobs[0].next_time == (NOW + early if early > timedelta() else None)


LONG_AGO = timedelta(days=1)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            several(just_failed(1, LONG_AGO), just_failed(2, LONG_AGO), backoff_limit=2),
            "retry Waiting | record job a@3 | create a@3.0",
            id="two failures, limit two: retry",
        ),
        pytest.param(
            several(just_failed(1, LONG_AGO), just_failed(2, LONG_AGO), backoff_limit=1),
            "none Failed",
            id="two failures, limit one: report",
        ),
        pytest.param(
            several(just_failed(1, LONG_AGO, work="2"), just_failed(2, LONG_AGO), backoff_limit=1),
            "retry Waiting | record job a@3 | create a@3.0",
            id="a failure of other work does not count",
        ),
        pytest.param(
            several(collected(1), just_failed(2, LONG_AGO), backoff_limit=1),
            "retry Waiting | record job a@3 | create a@3.0",
            id="a success does not count",
        ),
        pytest.param(
            several(collected(1, "PARTIALLY_SUCCEEDED"), just_failed(2, LONG_AGO), backoff_limit=1),
            "none Failed",
            id="a partial success counts: it was retried",
        ),
        pytest.param(
            several(collected(1, rows=RowCounts(10, 0, 10)), just_failed(2, LONG_AGO), backoff_limit=1),
            "none Failed",
            id="a success without one good row counts",
        ),
        pytest.param(
            several(
                just_failed(1, LONG_AGO, cancel_cause=CancelCause.REPLACE), just_failed(2, LONG_AGO), backoff_limit=1
            ),
            "retry Waiting | record job a@3 | create a@3.0",
            id="an attempt cancelled to be replaced does not count, though it shows as FAILED",
        ),
        pytest.param(
            several(
                attempt(1, "CANCELLED", cancel_time=NOW, cancel_cause=CancelCause.REMOVE, results="a/1"),
                just_failed(2, LONG_AGO),
                backoff_limit=1,
            ),
            "retry Waiting | record job a@3 | create a@3.0",
            id="an attempt cancelled to be removed does not count",
        ),
        pytest.param(
            replace(
                several(
                    attempt(1, cancel_time=NOW, cancel_cause=CancelCause.DEADLINE, gone_time=LOCAL),
                    just_failed(2, LONG_AGO),
                    backoff_limit=1,
                ),
                look=look(seen(just_failed(2, LONG_AGO)), gone=["batches/a-1"]),
            ),
            "none Failed",
            id="an attempt cancelled at its deadline, and gone before its end was seen, counts",
        ),
    ],
)
def test_the_limit_counts_failures_of_the_same_work(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_reached_limit_is_named() -> None:
    made = several(just_failed(1, LONG_AGO), just_failed(2, LONG_AGO), backoff_limit=1).decide()

    assert made.jobs[0].reason == "failed; backoffLimit 1 is reached"


def test_back_off_doubles_up_to_an_hour_and_keeps_its_jitter() -> None:
    delays = [delay(failures, "token00001") for failures in range(1, 40)]

    assert FIRST_DELAY * 0.8 < delays[0] <= FIRST_DELAY
    assert abs(delays[1] - 2 * delays[0]) < timedelta(milliseconds=1)
    assert abs(delays[2] - 4 * delays[0]) < timedelta(milliseconds=1)
    assert delays == sorted(delays)
    assert delays[-1] == delays[-10]
    assert LONGEST_DELAY * 0.8 < delays[-1] <= LONGEST_DELAY
    assert delay(1, "token00002") != delays[0]


def test_back_off_runs_from_the_creation_where_no_end_is_known() -> None:
    record = just_failed(end_time=None, create_time=NOW)
    made = one(record, backoff_limit=1).decide()

    assert made.jobs[0].next_time == NOW + delay(1, record.token)
