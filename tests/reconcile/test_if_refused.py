"""A job whose replacement or removal is refused: it is followed as it is, and said to stand as it does."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.decision import Timer
from batchctl.model.lifecycle import OnChange, OnMissing, OnRemove
from batchctl.reconcile import Options
from tests.support.decisions import (
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
    show,
    unanswered,
    vanished,
)
from tests.support.values import replace

UNASKED = Options(consent=False, allow_empty=True)
SENT = {"cancel_time": NOW - SECOND, "cancel_cause": CancelCause.DEADLINE}
LATELY = {"end_time": NOW - SECOND}


def edited(situation: Situation, options: Options = UNASKED) -> Situation:
    """The same with another work in the manifest."""
    assert situation.wanted is not None
    return replace(situation, wanted=replace(situation.wanted, digest=job(work="2").digest), options=options)


def removed(situation: Situation, options: Options = UNASKED) -> Situation:
    """The same without its manifest."""
    return replace(situation, wanted=None, options=options)


@pytest.mark.parametrize(
    ("situation", "expected", "reason"),
    [
        pytest.param(one(attempt()), "Active unfinished", "running", id="it works"),
        pytest.param(
            one(attempt(1, "PENDING"), pending_deadline=HOUR),
            "Active unfinished | cancel a@1.0 deadline",
            "pendingDeadline is over: the job did not start",
            id="its deadline is over",
        ),
        pytest.param(
            one(attempt(1, **SENT)), "Cancelling unfinished", "cancel sent; waiting for its end", id="a cancel was sent"
        ),
        pytest.param(
            one(attempt(1, **{**SENT, "cancel_time": NOW - MINUTE})),
            "Cancelling unfinished | cancel a@1.0 deadline",
            "the job still runs after a cancel: it is sent again",
            id="a cancel was sent, and is sent again",
        ),
        pytest.param(
            ordered(one(attempt())),
            "Cancelling unfinished | cancel a@1.0 user",
            "cancelled by `batchctl cancel`",
            id="batchctl cancel was asked for",
        ),
        pytest.param(
            one(attempt(1, "SUCCEEDED")),
            "Succeeded unfinished | collect a@1.0",
            "succeeded; results not collected yet",
            id="it succeeded: collect",
        ),
        pytest.param(one(collected()), "Succeeded", "succeeded", id="it is collected: nothing"),
        pytest.param(
            one(collected(end_time=NOW - HOUR), ttl_after_finished=HOUR),
            "Succeeded unfinished | delete a@1.0",
            "succeeded; ttlAfterFinished is over",
            id="its time to live is over: delete",
        ),
        pytest.param(
            one(attempt(1, "FAILED"), backoff_limit=1),
            "Failed unfinished | collect a@1.0",
            "failed; retry 1 of 1, if it were still wanted",
            id="it failed: collect, and no retry",
        ),
        pytest.param(
            one(collected(1, "FAILED", **LATELY), backoff_limit=1),
            "Failed",
            "failed; retry 1 of 1 after back-off, if it were still wanted",
            id="it failed, and its back-off runs: nothing to wait for",
        ),
        pytest.param(
            one(collected(1, "FAILED"), backoff_limit=1, suspend=False),
            "Failed",
            "failed; retry 1 of 1, if it were still wanted",
            id="it failed, and is collected: no retry",
        ),
        pytest.param(
            vanished(attempt(gone_time=LOCAL), on_missing=OnMissing.RECREATE),
            "Failed | ~ Missing",
            "it went missing before it ended (onMissing: recreate), if it were still wanted",
            id="it is missing: not made again",
        ),
    ],
)
def test_a_change_that_nobody_agreed_to(situation: Situation, expected: str, reason: str) -> None:
    made = edited(situation).decide()

    action, *rest = expected.split(" | ")
    drift = [part for part in rest if part.startswith("~")]
    steps = [part for part in rest if not part.startswith("~")]
    consent = f"{action} consent"
    assert show(made) == " | ".join([f"replace {consent}", *steps, "! ConsentNeeded", *drift])
    assert made.jobs[0].reason.startswith(f"{reason}; its work changed")


@pytest.mark.parametrize(
    ("situation", "expected", "reason"),
    [
        pytest.param(one(attempt()), "delete Active unfinished", "running", id="it works"),
        pytest.param(
            one(attempt(1, "PENDING"), pending_deadline=HOUR),
            "delete Active unfinished | cancel a@1.0 deadline",
            "pendingDeadline is over: the job did not start",
            id="its deadline, as recorded, is over",
        ),
        pytest.param(
            one(attempt(1, "SUCCEEDED")),
            "delete Succeeded unfinished | collect a@1.0",
            "succeeded; results not collected yet",
            id="it succeeded: collect",
        ),
        pytest.param(one(collected()), "delete Succeeded", "succeeded", id="it is collected: nothing"),
        pytest.param(
            one(collected(end_time=NOW - HOUR), ttl_after_finished=HOUR),
            "delete Succeeded unfinished | delete a@1.0",
            "succeeded; ttlAfterFinished is over",
            id="its time to live is over: delete, and it stays recorded",
        ),
        pytest.param(
            one(attempt(1, "FAILED"), backoff_limit=1),
            "delete Failed unfinished | collect a@1.0",
            "failed; retry 1 of 1, if it were still wanted",
            id="it failed: collect, and no retry",
        ),
        pytest.param(
            one(attempt(1, "PENDING"), pending_deadline=HOUR, on_remove=OnRemove.KEEP),
            "forget Active unfinished | cancel a@1.0 deadline",
            "pendingDeadline is over: the job did not start",
            id="onRemove keep: its deadline is over",
        ),
    ],
)
def test_a_removal_that_nobody_agreed_to(situation: Situation, expected: str, reason: str) -> None:
    made = removed(situation).decide()

    action, *steps = expected.split(" | ")
    assert show(made) == " | ".join([f"{action} consent", *steps, "! ConsentNeeded"])
    assert made.jobs[0].reason.startswith(f"{reason}; no longer in a manifest")


OVERDUE = one(attempt(1, "PENDING"), pending_deadline=HOUR)


@pytest.mark.parametrize(
    ("situation", "code"),
    [
        pytest.param(
            edited(one(attempt(1, "PENDING"), pending_deadline=HOUR, protect=True), Options()),
            "Protected",
            id="protected",
        ),
        pytest.param(edited(OVERDUE, Options(max_replace=0)), "TooManyReplaces", id="too many replaces"),
        pytest.param(
            removed(OVERDUE, Options(allow_empty=True, max_delete=0)), "TooManyDeletes", id="too many deletes"
        ),
        pytest.param(removed(OVERDUE, Options()), "NothingDesired", id="nothing is desired any more"),
        pytest.param(
            edited(one(attempt(1, "PENDING"), pending_deadline=HOUR, on_change=OnChange.FAIL), Options()),
            "OnChangeFail",
            id="onChange fail",
        ),
    ],
)
def test_deadlines_hold_whatever_is_refused(situation: Situation, code: str) -> None:
    made = situation.decide()

    assert show(made).endswith(f" | cancel a@1.0 deadline | ! {code}")
    assert made.jobs[0].phase == "Active"
    assert made.jobs[0].unfinished


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(edited(one(attempt()), Options()), "replace Active unfinished consent", id="changed, works"),
        pytest.param(edited(one(collected()), Options()), "replace Succeeded consent", id="changed, ended"),
        pytest.param(
            edited(one(attempt(1, **SENT)), Options()), "replace Cancelling unfinished consent", id="a cancel was sent"
        ),
        pytest.param(
            removed(one(attempt()), Options(allow_empty=True)), "delete Active unfinished consent", id="removed, works"
        ),
        pytest.param(
            removed(one(collected()), Options(allow_empty=True)), "delete Succeeded consent", id="removed, ended"
        ),
    ],
)
def test_nothing_is_being_removed_before_it_is(situation: Situation, expected: str) -> None:
    assert show(situation.decide()).split(" | ")[0] == expected


STRICT = Options(max_delete=0, max_replace=0, consent=False)


def test_a_removal_that_has_begun_is_not_asked_about_again() -> None:
    for protect in (False, True):
        record = row(job(pending_deadline=HOUR, protect=protect), attempt(1, "PENDING"), removing_time=LOCAL)
        half = Situation(None, record, look(found(1, "PENDING")), STRICT).decide()
        assert show(half) == "delete Removing unfinished | cancel a@1.0 remove"
        record = row(job(protect=protect), attempt(1, "CANCELLED"), removing_time=LOCAL)
        ended = Situation(None, record, look(found(1, "CANCELLED")), STRICT).decide()
        assert show(ended).startswith("delete Removing | "), show(ended)


def test_a_replacement_that_has_begun_is_not_asked_about_again() -> None:
    sent = {"cancel_time": NOW - HOUR, "cancel_cause": CancelCause.REPLACE}
    for state in ("PENDING", "CANCELLED"):
        situation = edited(one(attempt(1, state, **sent), protect=True), STRICT)
        assert "!" not in show(situation.decide()), show(situation.decide())


def test_what_is_followed_shows_when_it_is_due() -> None:
    made = edited(one(attempt(1, "RUNNING"), active_deadline=2 * HOUR)).decide().jobs[0]
    assert (made.next_time, made.timer) == (NOW + HOUR, Timer.DEADLINE)


def test_nothing_is_stopped_on_a_page_that_failed() -> None:
    overdue = one(attempt(1, "PENDING"), pending_deadline=HOUR, on_change=OnChange.FAIL)
    partly = replace(edited(overdue), look=look(found(1, "PENDING"), complete=False))
    assert show(partly.decide()) == "wait Active"


@pytest.mark.parametrize(
    "record",
    [unanswered(first_look=LOCAL), attempt(1, None, remote=None), attempt(1, None, remote=None, rejected=True)],
)
def test_without_a_remote_job_there_is_nothing_to_follow(record: RecordedAttempt) -> None:
    wanted = job(work="2")
    made = Situation(wanted, row(job(), record), look(), UNASKED).decide().jobs[0]
    assert made.steps == ()
    assert not made.unfinished


def test_nobody_ends_a_job_of_a_manifest_that_was_never_seen() -> None:
    wanted = job(work="2", active_deadline=SECOND)
    adopted = Situation(wanted, None, look(found()), Options()).decide()
    assert show(adopted) == "adopt Active consent | record job a@1 | record a@1.0 adopted | ! AdoptedChanged"


def test_a_refused_orphan_is_left_alone() -> None:
    made = decide([], [], [look(found())], Options(prune_orphans=True, consent=False, allow_empty=True))
    assert show(made) == "delete Active consent | ! ConsentNeeded | ~ Orphan"
