"""Rows of the decision table about a desired job that works: deadlines, unknown states, cancels, missing jobs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.attempts import CancelCause
from batchctl.model.lifecycle import OnMissing
from batchctl.model.observed import Present
from batchctl.model.states import JobState
from tests.support.decisions import (
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    Situation,
    attempt,
    decide,
    job,
    look,
    one,
    ordered,
    row,
    seen,
    show,
    state_name,
    vanished,
)
from tests.support.values import replace

DEADLINES = {"pending_deadline": HOUR, "active_deadline": HOUR}
RUNNING = attempt(1)


# --- yes | same digest, active | present, active | wait; past a deadline: cancel, then as failed


@pytest.mark.parametrize(
    ("state", "phase"),
    [("QUEUED", "Active"), ("PENDING", "Active"), ("RUNNING", "Active"), ("CANCELLING", "Cancelling")],
)
def test_active_and_present_waits(state: str, phase: str) -> None:
    made = one(attempt(1, state)).decide()

    assert show(made) == f"wait {phase}"
    assert made.jobs[0].reason == state.lower()
    assert made.jobs[0].next_time is None
    assert not made.has_changes


@pytest.mark.parametrize("state", ["QUEUED", "PENDING"])
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(HOUR - SECOND, "wait Active", id="one second before"),
        pytest.param(HOUR, "cancel Active unfinished | cancel a@1.0 deadline", id="at"),
        pytest.param(HOUR + SECOND, "cancel Active unfinished | cancel a@1.0 deadline", id="one second after"),
    ],
)
def test_pending_deadline(state: str, age: timedelta, expected: str) -> None:
    made = one(attempt(1, state, create_time=NOW - age), pending_deadline=HOUR, active_deadline=SECOND).decide()

    assert show(made) == expected
    assert made.jobs[0].next_time == (NOW - age + HOUR if age < HOUR else None)


@pytest.mark.parametrize(("state", "phase"), [("RUNNING", "Active"), ("CANCELLING", "Cancelling")])
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(HOUR - SECOND, "wait {phase}", id="one second before"),
        pytest.param(HOUR, "cancel {phase} unfinished | cancel a@1.0 deadline", id="at"),
        pytest.param(HOUR + SECOND, "cancel {phase} unfinished | cancel a@1.0 deadline", id="one second after"),
    ],
)
def test_active_deadline(state: str, phase: str, age: timedelta, expected: str) -> None:
    made = one(attempt(1, state, start_time=NOW - age), active_deadline=HOUR, pending_deadline=SECOND).decide()

    assert show(made) == expected.format(phase=phase)
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

    assert show(one(record, active_deadline=SECOND).decide()) == "wait Cancelling"


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
        "JOB_STATE_CANCELLING": "wait Cancelling",
        "JOB_STATE_CANCELLED": "collect Cancelled",
        "JOB_STATE_PAUSED": "wait Unknown",
        "JOB_STATE_EXPIRED": "collect Expired",
        "JOB_STATE_UPDATING": "wait Unknown",
        "JOB_STATE_PARTIALLY_SUCCEEDED": "collect PartiallySucceeded",
    }


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
            "create Waiting | record a@1.0 gone | record job a@2 | create a@2.0 | ~ Missing",
            id="an unknown state, gone, onMissing recreate: create",
        ),
        pytest.param(
            vanished(attempt(1, None), on_missing=OnMissing.RECREATE),
            "create Waiting | record a@1.0 gone | record job a@2 | create a@2.0 | ~ Missing",
            id="never seen since its creation, gone, onMissing recreate: create",
        ),
        pytest.param(
            vanished(RUNNING, on_missing=OnMissing.RECREATE),
            "create Waiting | record a@1.0 gone | record job a@2 | create a@2.0 | ~ Missing",
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
        pytest.param(
            vanished(
                attempt(1, cancel_time=NOW - MINUTE, cancel_cause=CancelCause.DEADLINE),
                backoff_limit=1,
                on_missing=OnMissing.RECREATE,
            ),
            "retry Waiting | record a@1.0 gone | record job a@2 | create a@2.0",
            id="cancelled at its deadline, gone, retries left: tried again as FAILED",
        ),
        pytest.param(
            vanished(attempt(1, cancel_time=NOW, cancel_cause=CancelCause.DEADLINE), backoff_limit=1),
            "wait Waiting | record a@1.0 gone",
            id="cancelled at its deadline, gone, back-off running: wait",
        ),
    ],
)
def test_active_and_gone(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_a_job_that_only_a_direct_get_shows_is_present() -> None:
    lagging = replace(look(), checked={"batches/a-1": Present(seen(RUNNING, "SUCCEEDED"))})

    made = decide([job()], [row(job(), RUNNING)], [lagging])

    assert show(made) == "collect Succeeded | record a@1.0 refreshed | collect a@1.0"


# --- any | cancel sent | active | `Cancelling`; sent again after back-off; succeeded meanwhile is a success


@pytest.mark.parametrize("cause", list(CancelCause))
@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        pytest.param(MINUTE - SECOND, "wait Cancelling", id="one second before back-off is over"),
        pytest.param(MINUTE, "cancel Cancelling unfinished | cancel a@1.0 {cause}", id="back-off just over"),
        pytest.param(MINUTE + SECOND, "cancel Cancelling unfinished | cancel a@1.0 {cause}", id="back-off over"),
    ],
)
def test_cancel_sent_and_still_active(cause: CancelCause, ago: timedelta, expected: str) -> None:
    made = one(attempt(1, cancel_time=NOW - ago, cancel_cause=cause)).decide()

    assert show(made) == expected.format(cause=cause)
    assert made.jobs[0].next_time == (NOW - ago + MINUTE if ago < MINUTE else None)


def test_a_cancel_of_unknown_cause_is_sent_again_as_the_users() -> None:
    made = one(attempt(1, cancel_time=NOW - HOUR)).decide()

    assert show(made) == "cancel Cancelling unfinished | cancel a@1.0 user"
