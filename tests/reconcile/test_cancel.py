"""What `batchctl cancel` does: stop what works, keep the order, decide nothing else."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.lifecycle import OnMissing
from batchctl.model.steps import RecordJob
from batchctl.reconcile import Options, Scope
from batchctl.reconcile.view.endings import was_cancelled
from tests.support.decisions import (
    HOUR,
    LOCAL,
    NOW,
    SECOND,
    THERE,
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
    unanswered,
    with_row,
)
from tests.support.values import replace

CANCEL = Options(cancel=True)
KEPT = "unfinished consent | record job a@1 cancel-requested"
DONE = "consent | record job a@1 cancel-requested"


def ordered(record: RecordedAttempt, state: str | None = None, **lifecycle: object) -> Situation:
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, record), look(seen(record, state)), CANCEL)


def stopped(situation: Situation) -> Situation:
    """The same when `batchctl cancel` was asked for before."""
    assert situation.record is not None
    return replace(situation, record=with_row(situation.record, cancel_requested=LOCAL))


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        *(
            pytest.param(
                ordered(attempt(1, state)),
                "cancel Cancelling unfinished consent | record job a@1 cancel-requested | cancel a@1.0 user",
                id=f"{state}: cancelled",
            )
            for state in ("QUEUED", "PENDING", "RUNNING", "CANCELLING")
        ),
        pytest.param(
            ordered(attempt(1, cancel_time=NOW - SECOND)),
            "cancel Cancelling unfinished consent | record job a@1 cancel-requested",
            id="a cancel was sent a moment ago: the order is kept",
        ),
        pytest.param(
            ordered(attempt(1, "PENDING"), "RUNNING"),
            "cancel Cancelling unfinished consent | record a@1.0 refreshed | record job a@1 cancel-requested | cancel a@1.0 user",
            id="what was seen is written down",
        ),
        pytest.param(
            ordered(attempt(), "SUCCEEDED"), "none Succeeded | record a@1.0 refreshed", id="it has ended: nothing"
        ),
        pytest.param(ordered(collected()), "none Succeeded", id="it has ended and is collected: nothing"),
        pytest.param(
            Situation(job(), None, look(found()), CANCEL), "none Active", id="found by its mark only: adopted first"
        ),
        pytest.param(
            ordered(attempt(1, "SUCCEEDED", results_lost=True)), "none ResultsLost", id="its results are lost: nothing"
        ),
        *(
            pytest.param(ordered(attempt(1, state)), f"cancel Unknown {KEPT}", id=f"{state}: kept")
            for state in ("PAUSED", "UPDATING", "BREWING")
        ),
        pytest.param(
            replace(ordered(attempt()), look=look()), f"cancel Unknown {KEPT}", id="not known in this pass: kept"
        ),
        pytest.param(
            replace(ordered(attempt()), look=look(account=THERE)), f"cancel Unknown {KEPT}", id="nobody looked: kept"
        ),
        pytest.param(
            replace(ordered(attempt()), look=look(gone=["batches/a-1"])),
            "none Failed | record a@1.0 gone | ~ Missing",
            id="gone: nothing to cancel",
        ),
        pytest.param(
            replace(ordered(attempt()), look=look(found(), complete=False)),
            "cancel Cancelling unfinished consent | record job a@1 cancel-requested | cancel a@1.0 user",
            id="a page failed, but the job is seen: a person's order is carried out",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered()), look(), CANCEL),
            f"cancel Settling {KEPT}",
            id="an open intent: kept",
        ),
        pytest.param(Situation(job(), None, look(), CANCEL), "none Waiting", id="never created: nothing"),
        pytest.param(Situation(job(), row(job()), look(), CANCEL), "none Waiting", id="no attempt yet: nothing"),
        pytest.param(
            ordered(attempt(), protect=True),
            "cancel Cancelling consent | ! Protected",
            id="protected: refused",
        ),
    ],
)
def test_cancel(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def gone(record: RecordedAttempt, **lifecycle: object) -> Situation:
    return replace(ordered(record, **lifecycle), look=look(gone=["batches/a-1"]))


def unsent(**fields: object) -> Situation:
    """A job whose one attempt has no remote job."""
    record = attempt(1, None, remote=None, **fields)
    return Situation(job(), row(job(), record), look(), CANCEL)


ONCE = {"backoff_limit": 1}
BY_ORDER = {"cancel_time": NOW, "cancel_cause": CancelCause.USER}
LATELY = {"end_time": NOW - SECOND}
WANTED_AGAIN = {"cancel_time": NOW - HOUR, "cancel_cause": CancelCause.REMOVE}


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(ordered(attempt(1, "FAILED", **LATELY), **ONCE), f"cancel Failed {DONE}", id="back-off runs"),
        pytest.param(ordered(attempt(1, "FAILED"), **ONCE), f"cancel Failed {DONE}", id="the retry is due"),
        pytest.param(ordered(attempt(1, "FAILED"), **ONCE, suspend=True), f"cancel Failed {DONE}", id="suspended"),
        pytest.param(ordered(attempt(1, "EXPIRED"), **ONCE), f"cancel Expired {DONE}", id="expired"),
        pytest.param(
            ordered(attempt(1, "CANCELLED", **WANTED_AGAIN)),
            f"cancel Cancelled {DONE}",
            id="wanted again after a removal",
        ),
        pytest.param(
            gone(attempt(gone_time=LOCAL), on_missing=OnMissing.RECREATE),
            f"cancel Cancelled {DONE} | ~ Missing",
            id="missing, and to be made again",
        ),
        pytest.param(
            ordered(attempt(1, "SUCCEEDED"), **ONCE),
            f"cancel Succeeded {DONE}",
            id="succeeded, and no row of it might have",
        ),
        pytest.param(
            Situation(None, row(job(**ONCE), attempt(1, "FAILED")), look(found(1, "FAILED")), CANCEL),
            f"cancel Failed {DONE}",
            id="no manifest, which may come back",
        ),
        pytest.param(
            Situation(job(work="2", **ONCE), row(job(**ONCE), attempt(1, "FAILED")), look(found(1, "FAILED")), CANCEL),
            f"cancel Failed {DONE}",
            id="its manifest has changed, which may be undone",
        ),
        pytest.param(
            ordered(attempt(1, "FAILED"), **ONCE, protect=True),
            f"cancel Failed {DONE}",
            id="protected, but there is nothing to protect any more",
        ),
        pytest.param(unsent(), f"cancel Cancelled {DONE}", id="its create call did not get through"),
        pytest.param(unsent(gone_time=LOCAL), f"cancel Cancelled {DONE}", id="its create call was lost"),
        pytest.param(unsent(rejected=True), "none Rejected", id="rejected: nothing follows"),
        pytest.param(ordered(attempt(1, "FAILED")), "none Failed", id="failed for good: nothing follows"),
        pytest.param(
            stopped(ordered(attempt(1, "FAILED", **LATELY), **ONCE)),
            "none Failed",
            id="ordered before: nothing follows",
        ),
        pytest.param(
            stopped(ordered(attempt(1, "SUCCEEDED"), **ONCE)), "none Succeeded", id="ordered before, not collected"
        ),
        pytest.param(stopped(unsent()), "none Cancelled", id="ordered before anything was sent"),
    ],
)
def test_what_would_follow_is_called_off(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        (ordered(attempt()), "cancelled by `batchctl cancel`"),
        (ordered(attempt(1, "FAILED", **LATELY), **ONCE), "failed; cancelled by `batchctl cancel`; never retried"),
        (ordered(attempt(1, "FAILED")), "has ended already: failed; backoffLimit is 0"),
        (unsent(), "cancelled by `batchctl cancel` before a create call got through"),
        (
            stopped(replace(unsent(), options=Options())),
            "cancelled by `batchctl cancel` before a create call got through",
        ),
        (unsent(rejected=True), "has ended already: the API refused it"),
        (
            ordered(attempt(1, "PAUSED")),
            "the API says JOB_STATE_PAUSED, which is a state that batchctl does not know; it is cancelled as soon as possible",
        ),
        (
            Situation(job(), row(job(), unanswered()), look(), CANCEL),
            "no remote job is known yet; it is cancelled as soon as possible",
        ),
    ],
)
def test_reasons(situation: Situation, words: str) -> None:
    assert situation.decide().jobs[0].reason.replace("; results not collected yet", "") == words


def test_an_order_to_try_again_is_called_off_with_what_else_would_follow() -> None:
    situation = ordered(attempt(1, "FAILED", **LATELY), **ONCE)
    assert situation.record is not None
    again = replace(situation, record=with_row(situation.record, retry_requested=LOCAL))

    assert show(again.decide()) == f"cancel Failed {DONE}"


def test_an_order_to_try_again_does_not_stand_in_the_way() -> None:
    situation = ordered(attempt())
    assert situation.record is not None
    again = replace(situation, record=with_row(situation.record, retry_requested=LOCAL))

    assert (
        show(again.decide())
        == "cancel Cancelling unfinished consent | record job a@1 cancel-requested | cancel a@1.0 user"
    )


def test_a_recorded_job_without_a_manifest_can_be_cancelled_by_name() -> None:
    options = replace(CANCEL, scope=Scope(names=frozenset({"a"})))

    made = decide([], [row(job(), attempt())], [look(found())], options)

    assert show(made) == "cancel Cancelling unfinished consent | record job a@1 cancel-requested | cancel a@1.0 user"


def test_the_order_keeps_its_time() -> None:
    step = ordered(attempt()).decide().jobs[0].steps[0]

    assert step == RecordJob(row(job(), cancel_requested=LOCAL).row)


def test_all_that_works_is_cancelled_and_nothing_else_is_decided() -> None:
    wanted = [job("a"), job("b", work="2"), job("c")]
    records = [row(wanted[0], attempt()), row(job("b"), collected(name="b"))]

    made = decide(wanted, records, [look(found(), seen(collected(name="b")))], CANCEL)

    assert [decided.action for decided in made.jobs] == ["cancel", "none", "none"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(attempt(**BY_ORDER), False, id="still active"),
        pytest.param(attempt(gone_time=LOCAL, **BY_ORDER), True, id="gone before its end was seen"),
        pytest.param(attempt(1, "CANCELLED", **BY_ORDER), True, id="cancelled"),
        pytest.param(attempt(1, "FAILED", **BY_ORDER), True, id="shown as failed"),
        pytest.param(attempt(1, "SUCCEEDED", **BY_ORDER), False, id="succeeded in the meantime"),
        pytest.param(attempt(1, "SUCCEEDED", gone_time=LOCAL, **BY_ORDER), False, id="succeeded, and gone"),
        pytest.param(attempt(1, "CANCELLED"), False, id="cancelled by somebody else"),
    ],
)
def test_an_attempt_counts_as_cancelled_once_it_has_ended(record: RecordedAttempt, expected: bool) -> None:
    assert was_cancelled(record, CancelCause.USER) is expected
    assert not was_cancelled(record, CancelCause.REMOVE)
