"""Rows of the decision table about a desired job whose attempt does the desired work: active, ended, gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from reconcile_build import (
    FAILURE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    Situation,
    attempt,
    collected,
    decide,
    found,
    job,
    look,
    row,
    seen,
    show,
    state_name,
)

from batchctl.model.desired import OnMissing
from batchctl.model.observed import Present, RowCounts
from batchctl.model.plan import Collect, Note, RecordAttempt
from batchctl.model.recorded import CancelCause, RecordedAttempt
from batchctl.model.states import TERMINAL_STATES, JobState
from batchctl.reconcile.retry import FIRST_DELAY, LONGEST_DELAY, delay

DEADLINES = {"pending_deadline": HOUR, "active_deadline": HOUR}
RUNNING = attempt(1)
PENDING = attempt(1, "PENDING")
GONE = look(gone=["batches/a-1"])


def one(record: RecordedAttempt, state: str | None = None, **lifecycle: object) -> Situation:
    """A job whose one attempt the API shows, in the given state or as recorded."""
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, record), look(seen(record, state)))


def vanished(record: RecordedAttempt, **lifecycle: object) -> Situation:
    """A job whose one attempt is gone."""
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, record), GONE)


def ordered(situation: Situation) -> Situation:
    """The same after `batchctl cancel`."""
    assert situation.record is not None
    return replace(situation, record=replace(situation.record, cancel_requested=LOCAL))


# --- yes | same digest, active | present, active | wait; past a deadline: cancel, then as failed


@pytest.mark.parametrize("state", ["QUEUED", "PENDING", "RUNNING", "CANCELLING"])
def test_active_and_present_waits(state: str) -> None:
    made = one(attempt(1, state)).decide()

    assert show(made) == "wait Active"
    assert made.jobs[0].reason == state.lower()
    assert made.jobs[0].next_time is None
    assert not made.has_changes


@pytest.mark.parametrize("state", ["QUEUED", "PENDING"])
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(HOUR - SECOND, "wait Active", id="one second before"),
        pytest.param(HOUR, "cancel Removing unfinished | cancel a@1.0 deadline", id="at"),
        pytest.param(HOUR + SECOND, "cancel Removing unfinished | cancel a@1.0 deadline", id="one second after"),
    ],
)
def test_pending_deadline(state: str, age: timedelta, expected: str) -> None:
    made = one(attempt(1, state, create_time=NOW - age), pending_deadline=HOUR, active_deadline=SECOND).decide()

    assert show(made) == expected
    assert made.jobs[0].next_time == (NOW - age + HOUR if age < HOUR else None)


@pytest.mark.parametrize("state", ["RUNNING", "CANCELLING"])
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(HOUR - SECOND, "wait Active", id="one second before"),
        pytest.param(HOUR, "cancel Removing unfinished | cancel a@1.0 deadline", id="at"),
        pytest.param(HOUR + SECOND, "cancel Removing unfinished | cancel a@1.0 deadline", id="one second after"),
    ],
)
def test_active_deadline(state: str, age: timedelta, expected: str) -> None:
    made = one(attempt(1, state, start_time=NOW - age), active_deadline=HOUR, pending_deadline=SECOND).decide()

    assert show(made) == expected
    assert made.jobs[0].next_time == (NOW - age + HOUR if age < HOUR else None)


def test_a_running_job_without_a_start_time_runs_since_the_first_look_on_the_providers_clock() -> None:
    record = attempt(1, "PENDING")
    remote = seen(record, "RUNNING", start_time=None)

    made = decide([job(active_deadline=HOUR)], [row(job(active_deadline=HOUR), record)], [look(remote)])

    assert show(made) == "wait Active | record a@1.0 refreshed"
    assert made.jobs[0].attempt is not None
    assert made.jobs[0].attempt.start_time == NOW
    assert made.jobs[0].next_time == NOW + HOUR


def test_a_start_time_once_seen_stays() -> None:
    remote = seen(RUNNING, start_time=None)

    assert show(Situation(job(), row(job(), RUNNING), look(remote)).decide()) == "wait Active"


def test_without_a_start_time_no_active_deadline_runs() -> None:
    record = attempt(1, "CANCELLING", start_time=None)

    assert show(one(record, active_deadline=SECOND).decide()) == "wait Active"


def test_a_deadline_ends_as_failed() -> None:
    ended = attempt(1, "CANCELLED", cancel_cause=CancelCause.DEADLINE, cancel_time=NOW - HOUR, results="a/1")

    made = one(ended).decide()

    assert show(made) == "none Failed"
    assert made.jobs[0].reason == "cancelled at its deadline; backoffLimit is 0"


# --- any | any | a state we do not know, PAUSED, UPDATING | wait; no deadline cancels it

STRANGE = ["PAUSED", "UPDATING", "UNSPECIFIED", "BREWING", "JOB_STATE_", "half done"]


@pytest.mark.parametrize("state", STRANGE)
def test_a_state_we_do_not_know_waits_whatever_the_deadlines(state: str) -> None:
    made = one(attempt(1), state, **dict.fromkeys(DEADLINES, SECOND)).decide()

    assert show(made) == "wait Unknown | record a@1.0 refreshed"
    assert state_name(state) in made.jobs[0].reason


@pytest.mark.parametrize("state", STRANGE)
@pytest.mark.parametrize("cause", list(CancelCause))
def test_a_state_we_do_not_know_is_not_cancelled_again(state: str, cause: CancelCause) -> None:
    record = attempt(1, state, cancel_time=NOW - HOUR, cancel_cause=cause)

    assert show(ordered(one(record)).decide()) == "wait Unknown"


def test_every_known_state_has_a_decision() -> None:
    known = {state: show(one(attempt(1, state)).decide()).split(" | ")[0] for state in JobState}

    assert known == {
        "JOB_STATE_UNSPECIFIED": "wait Unknown",
        "JOB_STATE_QUEUED": "wait Active",
        "JOB_STATE_PENDING": "wait Active",
        "JOB_STATE_RUNNING": "wait Active",
        "JOB_STATE_SUCCEEDED": "collect Succeeded",
        "JOB_STATE_FAILED": "collect Failed",
        "JOB_STATE_CANCELLING": "wait Active",
        "JOB_STATE_CANCELLED": "collect Cancelled",
        "JOB_STATE_PAUSED": "wait Unknown",
        "JOB_STATE_EXPIRED": "collect Expired",
        "JOB_STATE_UPDATING": "wait Unknown",
        "JOB_STATE_PARTIALLY_SUCCEEDED": "collect PartiallySucceeded",
    }


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
            "delete Succeeded | collect a@1.0 | delete a@1.0",
            id="ttl over, not collected: collect before delete",
        ),
        pytest.param(
            one(attempt(1, "FAILED"), ttl_after_finished=SECOND),
            "delete Failed | collect a@1.0 | delete a@1.0",
            id="ttl over, failed: collect what there is, delete",
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
            "retry Waiting | row a@2 | create a@2.0",
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
    ],
)
def test_a_success_is_explained(rows: RowCounts, words: str) -> None:
    assert one(collected(rows=rows)).decide().jobs[0].reason == words


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
            "retry Waiting | row a@2 | create a@2.0",
            id="collected, retryOn names it: retry",
        ),
        pytest.param(
            one(attempt(1, "PARTIALLY_SUCCEEDED"), backoff_limit=1, retry_on=PARTIALLY),
            "retry Waiting | collect a@1.0 | row a@2 | create a@2.0",
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
            "retry Waiting | row a@2 | create a@2.0",
            id="failed, retries left, back-off over: retry",
        ),
        pytest.param(
            one(attempt(1, "FAILED"), backoff_limit=1),
            "retry Waiting | collect a@1.0 | row a@2 | create a@2.0",
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
            "retry Waiting | row a@2 | create a@2.0",
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
            "retry Waiting | row a@2 | create a@2.0 | ~ Cancelled",
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
            "retry Waiting | row a@2 | create a@2.0",
            id="cancelled at its deadline: retried as FAILED",
        ),
        pytest.param(
            vanished(just_failed(ago=HOUR, gone_time=LOCAL), backoff_limit=1),
            "retry Waiting | row a@2 | create a@2.0",
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
            "cancel Removing unfinished | cancel a@1.0 user",
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
        pytest.param(timedelta(), "retry Waiting | row a@2 | create a@2.0", id="at"),
        pytest.param(-SECOND, "retry Waiting | row a@2 | create a@2.0", id="one second after"),
    ],
)
def test_back_off(early: timedelta, expected: str) -> None:
    pause = delay(1, attempt(1).token)

    made = one(just_failed(ago=pause - early), backoff_limit=1).decide()

    assert show(made) == expected
    assert made.jobs[0].next_time == (NOW + early if early > timedelta() else None)


def several(*records: RecordedAttempt, **lifecycle: object) -> Situation:
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, *records), look(*(seen(record) for record in records)))


LONG_AGO = timedelta(days=1)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            several(just_failed(1, LONG_AGO), just_failed(2, LONG_AGO), backoff_limit=2),
            "retry Waiting | row a@3 | create a@3.0",
            id="two failures, limit two: retry",
        ),
        pytest.param(
            several(just_failed(1, LONG_AGO), just_failed(2, LONG_AGO), backoff_limit=1),
            "none Failed",
            id="two failures, limit one: report",
        ),
        pytest.param(
            several(just_failed(1, LONG_AGO, work="2"), just_failed(2, LONG_AGO), backoff_limit=1),
            "retry Waiting | row a@3 | create a@3.0",
            id="a failure of other work does not count",
        ),
        pytest.param(
            several(collected(1), just_failed(2, LONG_AGO), backoff_limit=1),
            "retry Waiting | row a@3 | create a@3.0",
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
            "retry Waiting | row a@3 | create a@3.0",
            id="an attempt cancelled to be replaced does not count, though it shows as FAILED",
        ),
        pytest.param(
            several(
                attempt(1, "CANCELLED", cancel_time=NOW, cancel_cause=CancelCause.REMOVE, results="a/1"),
                just_failed(2, LONG_AGO),
                backoff_limit=1,
            ),
            "retry Waiting | row a@3 | create a@3.0",
            id="an attempt cancelled to be removed does not count",
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


# --- yes | same digest, was finished | gone | collected: nothing; not collected: ResultsLost


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            vanished(collected()),
            "none Succeeded | record a@1.0 gone | ~ Vanished",
            id="finished, collected, gone: nothing, and drift until it is written down",
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
            id="finished, not collected, gone: ResultsLost, never bought again by itself",
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
            "wait Unknown",
            id="succeeded, not collected, a page failed: wait",
        ),
    ],
)
def test_finished_and_gone(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


# --- yes | same digest, was active | gone | drift `Missing`; by `onMissing`


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            vanished(RUNNING), "none Failed | record a@1.0 gone | ~ Missing", id="active, gone, onMissing fail: failed"
        ),
        pytest.param(
            vanished(attempt(1, gone_time=LOCAL)), "none Failed | ~ Missing", id="written down: the drift stays"
        ),
        pytest.param(
            vanished(attempt(1, "BREWING"), on_missing=OnMissing.RECREATE),
            "create Waiting consent | record a@1.0 gone | row a@2 | create a@2.0 | ~ Missing",
            id="an unknown state, gone, onMissing recreate: create",
        ),
        pytest.param(
            vanished(attempt(1, None), on_missing=OnMissing.RECREATE),
            "create Waiting consent | record a@1.0 gone | row a@2 | create a@2.0 | ~ Missing",
            id="never seen since its creation, gone, onMissing recreate: create",
        ),
        pytest.param(
            vanished(RUNNING, on_missing=OnMissing.RECREATE),
            "create Waiting consent | record a@1.0 gone | row a@2 | create a@2.0 | ~ Missing",
            id="active, gone, onMissing recreate: create",
        ),
        pytest.param(
            vanished(RUNNING, on_missing=OnMissing.RECREATE, suspend=True),
            "wait Waiting | record a@1.0 gone | ~ Missing",
            id="active, gone, onMissing recreate, suspended: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), RUNNING), look()),
            "wait Unknown",
            id="the list lacks it, nobody asked directly: unknown",
        ),
        pytest.param(
            Situation(job(), row(job(), RUNNING), look(forbidden=["batches/a-1"])),
            "wait Unknown",
            id="the list lacks it, the direct get says 403: unknown",
        ),
        pytest.param(
            Situation(job(), row(job(), RUNNING), look(complete=False, gone=["batches/a-1"])),
            "wait Unknown",
            id="a page failed, the direct get says 404: unknown",
        ),
        pytest.param(
            vanished(attempt(1, cancel_time=NOW, cancel_cause=CancelCause.USER), on_missing=OnMissing.RECREATE),
            "none Cancelled | record a@1.0 gone",
            id="cancelled by batchctl cancel, gone: never made again",
        ),
        pytest.param(
            ordered(vanished(RUNNING, on_missing=OnMissing.RECREATE)),
            "none Cancelled | record a@1.0 gone | ~ Missing",
            id="batchctl cancel was asked for, gone before it got through: never made again",
        ),
        pytest.param(
            vanished(attempt(1, cancel_time=NOW, cancel_cause=CancelCause.DEADLINE)),
            "none Failed | record a@1.0 gone",
            id="cancelled at its deadline, gone: no drift",
        ),
    ],
)
def test_active_and_gone(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_job_that_only_a_direct_get_shows_is_present() -> None:
    lagging = replace(look(), checked={"batches/a-1": Present(seen(RUNNING, "SUCCEEDED"))})

    made = decide([job()], [row(job(), RUNNING)], [lagging])

    assert show(made) == "collect Succeeded | record a@1.0 refreshed | collect a@1.0"


# --- any | cancel sent | active | `Removing`; sent again after back-off; succeeded meanwhile is a success


@pytest.mark.parametrize("cause", list(CancelCause))
@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        pytest.param(MINUTE - SECOND, "wait Removing", id="one second before back-off is over"),
        pytest.param(MINUTE, "cancel Removing unfinished | cancel a@1.0 {cause}", id="back-off just over"),
        pytest.param(MINUTE + SECOND, "cancel Removing unfinished | cancel a@1.0 {cause}", id="back-off over"),
    ],
)
def test_cancel_sent_and_still_active(cause: CancelCause, ago: timedelta, expected: str) -> None:
    made = one(attempt(1, cancel_time=NOW - ago, cancel_cause=cause)).decide()

    assert show(made) == expected.format(cause=cause)
    assert made.jobs[0].next_time == (NOW - ago + MINUTE if ago < MINUTE else None)


def test_a_cancel_of_unknown_cause_is_sent_again_as_the_users() -> None:
    made = one(attempt(1, cancel_time=NOW - HOUR)).decide()

    assert show(made) == "cancel Removing unfinished | cancel a@1.0 user"


# --- what is written down of a look


def refreshed(record: RecordedAttempt, **fields: object) -> RecordedAttempt:
    made = decide([job()], [row(job(), record)], [look(seen(record, **fields))])
    assert made.jobs[0].attempt is not None
    return made.jobs[0].attempt


def test_a_refresh_takes_over_state_times_rows_and_error() -> None:
    record = attempt(1, "PENDING")
    ended = NOW - MINUTE

    made = Situation(
        job(),
        row(job(), record),
        look(seen(record, "FAILED", start_time=NOW - HOUR, end_time=ended, rows=RowCounts(3, 1, 2), error=FAILURE)),
    ).decide()

    steps = made.jobs[0].steps
    changed = replace(
        record,
        state="JOB_STATE_FAILED",
        start_time=NOW - HOUR,
        end_time=ended,
        rows=RowCounts(3, 1, 2),
        error=FAILURE,
    )
    assert steps[0] == RecordAttempt(changed, Note.REFRESHED)
    assert isinstance(steps[1], Collect)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
@pytest.mark.parametrize("later", ["RUNNING", "SUCCEEDED", "FAILED", "BREWING"])
def test_nothing_leaves_a_terminal_state(state: str, later: str) -> None:
    record = attempt(1, state, results="a/1", rows=RowCounts(10, 9, 1))

    assert refreshed(record, state=later) == record


def test_an_end_that_the_api_does_not_tell_is_the_time_of_the_first_look() -> None:
    assert refreshed(RUNNING, state="SUCCEEDED", end_time=None).end_time == NOW
    assert refreshed(replace(RUNNING, end_time=NOW - HOUR), state="SUCCEEDED", end_time=None).end_time == NOW - HOUR
    assert refreshed(replace(RUNNING, end_time=NOW - HOUR), end_time=None).end_time is None


def test_the_count_of_collected_rows_is_better_than_the_apis() -> None:
    record = attempt(1, "RUNNING", results="a/1", rows=RowCounts(10, 9, 1))

    assert refreshed(record, state="SUCCEEDED", rows=RowCounts(10, 4, 0)).rows == RowCounts(10, 9, 1)


def test_a_creation_time_once_known_stays() -> None:
    assert refreshed(RUNNING, create_time=None, rows=RowCounts(1)).create_time == RUNNING.create_time


def test_the_end_of_one_job_says_nothing_of_another() -> None:
    wanted = [job("a"), job("b")]
    records = [row(wanted[0], collected()), row(wanted[1], attempt(1, name="b"))]

    made = decide(wanted, records, [look(found(1, "SUCCEEDED", rows=RowCounts(10, 10, 0)), found(1, name="b"))])

    assert [decided.job for decided in made.jobs] == ["a", "b"]
    assert (show(made, "a"), show(made, "b")) == ("none Succeeded", "wait Active")
    assert made.summary()["none"] == made.summary()["wait"] == 1
