"""What an order of `batchctl cancel` means in the passes after it: nothing is sent, tried or made again."""

from __future__ import annotations

import pytest

from batchctl.model.admission import AdmissionLimits
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.lifecycle import OnChange, OnMissing
from batchctl.model.stack import Limits
from batchctl.model.steps import Note, RecordAttempt
from batchctl.reconcile import Options, Scope, phase_on_record
from tests.support.decisions import (
    GRACE,
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
    one,
    ordered,
    row,
    seen,
    show,
    unanswered,
    vanished,
)
from tests.support.values import replace

LOOKED = LOCAL - GRACE
RETRY = Options(Scope(names=frozenset({"a"})), retry=True)
UNSENT = attempt(1, None, remote=None)
LOST = attempt(1, None, remote=None, gone_time=LOCAL)
REMOVED = {"cancel_time": NOW - HOUR, "cancel_cause": CancelCause.REMOVE}


def settling(record: RecordedAttempt, **given: object) -> Situation:
    return ordered(Situation(job(), row(job(), record), **given))


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            ordered(one(attempt(1, "FAILED"), backoff_limit=3)), "collect Failed | collect a@1.0", id="failed: no retry"
        ),
        pytest.param(
            ordered(one(collected(1, "CANCELLED", **REMOVED))), "none Cancelled", id="wanted again: no new attempt"
        ),
        pytest.param(
            ordered(vanished(attempt(gone_time=LOCAL), on_missing=OnMissing.RECREATE)),
            "none Cancelled | ~ Missing",
            id="missing: not made again",
        ),
        pytest.param(
            ordered(one(attempt(1, "PAUSED"), "RUNNING")),
            "cancel Cancelling unfinished | record a@1.0 refreshed | cancel a@1.0 user",
            id="was PAUSED, and works again: cancelled",
        ),
        pytest.param(ordered(one(attempt(1, "PAUSED"))), "wait Unknown", id="PAUSED: wait"),
        pytest.param(settling(UNSENT), "none Cancelled", id="its create call did not get through: not sent"),
        pytest.param(settling(LOST), "none Cancelled", id="its create call was lost: no new attempt"),
        pytest.param(settling(attempt(1, None, remote=None, rejected=True)), "none Rejected", id="rejected"),
        pytest.param(settling(unanswered()), "wait Settling | record a@1.0 not found", id="settling: the grace begins"),
        pytest.param(settling(unanswered(first_look=LOOKED + SECOND)), "wait Settling", id="settling: the grace runs"),
        pytest.param(
            settling(unanswered(first_look=LOOKED)),
            "none Cancelled | record a@1.0 abandoned",
            id="settling, and the grace is over: not sent again",
        ),
        pytest.param(
            settling(unanswered(first_look=LOOKED), look=look(complete=False)),
            "wait Settling",
            id="a page failed: wait",
        ),
        pytest.param(
            settling(unanswered(), look=look(found())),
            "cancel Cancelling unfinished | record a@1.0 adopted | cancel a@1.0 user",
            id="settling, and found: taken in and cancelled",
        ),
        pytest.param(
            settling(LOST, look=look(found())),
            "cancel Cancelling unfinished | record a@1.0 adopted | cancel a@1.0 user",
            id="given up, and found after all: taken in and cancelled",
        ),
        pytest.param(
            settling(unanswered(), look=look(found(1, "SUCCEEDED"))),
            "adopt Succeeded | record a@1.0 adopted | collect a@1.0",
            id="settling, and found when it had succeeded: what was paid for is collected",
        ),
    ],
)
def test_an_order_stands(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (UNSENT, "create Waiting consent | record job a@1 | create a@1.0"),
        (
            unanswered(first_look=LOOKED),
            "create Waiting consent | record a@1.0 abandoned | record job a@2 | create a@2.0",
        ),
        (LOST, "create Waiting consent | record job a@2 | create a@2.0"),
        (
            collected(1, "FAILED", end_time=NOW - SECOND),
            "replace Failed consent | delete a@1.0 | record job a@2 | create a@2.0",
        ),
    ],
)
def test_a_changed_manifest_lifts_it(record: RecordedAttempt, expected: str) -> None:
    shown = [seen(record)] if record.remote else []
    situation = Situation(job(work="2", backoff_limit=3), row(job(backoff_limit=3), record), look(*shown))

    assert show(ordered(situation).decide()) == expected


@pytest.mark.parametrize("record", [UNSENT, LOST, collected(1, "FAILED", end_time=NOW - SECOND)])
def test_an_order_to_try_again_lifts_it(record: RecordedAttempt) -> None:
    shown = look(*([seen(record)] if record.remote else []))
    situation = ordered(Situation(job(), row(job(), record), shown))

    given = replace(situation, options=RETRY).decide()
    assert show(given) == "retry Waiting consent | record job a@1 retry-requested | record job a@2 | create a@2.0"
    # It could not be followed at once, for want of room.
    later = Situation(job(), row(job(), record, retry_requested=LOCAL), shown).decide()
    assert show(later) == "retry Waiting | record job a@2 | create a@2.0"


def test_an_order_to_try_again_outlasts_a_full_queue() -> None:
    working = attempt(name="b")
    made = decide(
        [job(), job("b")],
        [row(job(), UNSENT, cancel_requested=LOCAL), row(job("b"), working)],
        [look(seen(working))],
        RETRY,
        limits=Limits(admission=AdmissionLimits(active=1)),
    )
    assert show(made) == "wait Waiting consent | record job a@1 retry-requested"


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(Situation(job(), row(job(), UNSENT)), id="nobody has stopped it: apply goes on with it"),
        pytest.param(settling(unanswered(first_look=LOOKED)), id="stopped, and not settled"),
    ],
)
def test_what_is_not_settled_cannot_be_tried_again(situation: Situation) -> None:
    (guard,) = replace(situation, options=RETRY).decide().guards
    assert "its create call is not settled yet" in guard.message


def test_what_is_given_up_has_no_intent_and_is_gone() -> None:
    record = unanswered(first_look=LOOKED)

    (step,) = settling(record).decide().jobs[0].steps

    assert step == RecordAttempt(replace(record, intent=None, gone_time=LOCAL), Note.ABANDONED)


def test_an_order_is_told_while_the_create_call_settles() -> None:
    made = settling(unanswered(first_look=LOCAL - MINUTE)).decide().jobs[0]
    assert made.reason == (
        "it is not known whether the create call was sent; its mark is not in the list yet;"
        " cancelled by `batchctl cancel`, so it is not sent again"
    )


def test_the_old_work_of_a_kept_job_is_stopped_too() -> None:
    kept = job(work="2", on_change=OnChange.KEEP)
    situation = ordered(Situation(kept, row(replace(kept, digest=job().digest), attempt()), look(found())))
    assert show(situation.decide()) == "cancel Cancelling unfinished | cancel a@1.0 user"


@pytest.mark.parametrize(
    ("record", "phase"),
    [
        (UNSENT, "Cancelled"),
        (LOST, "Cancelled"),
        (unanswered(), "Settling"),
        (attempt(1, None, remote=None, rejected=True), "Rejected"),
        (attempt(gone_time=LOCAL), "Cancelled"),
        (attempt(), "Cancelling"),
        (attempt(1, "FAILED"), "Failed"),
    ],
)
def test_its_phase_by_the_record_alone(record: RecordedAttempt, phase: str) -> None:
    assert phase_on_record(row(job(), record, cancel_requested=LOCAL)) == phase


def test_what_a_job_depends_on_is_not_cancelled_with_it() -> None:
    dependant, needed = job("a", needs=["b"]), job("b")
    records = [attempt(name="a"), attempt(name="b")]
    looks = [look(*(seen(record) for record in records))]
    rows = [row(dependant, records[0]), row(needed, records[1])]
    made = decide([dependant, needed], rows, looks, Options(Scope(names=frozenset({"a"})), cancel=True))
    assert [planned.job for planned in made.jobs] == ["a"]
