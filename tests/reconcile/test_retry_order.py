"""What `batchctl retry` does: order a new attempt of what ended without success, and follow the order when it can be."""

from __future__ import annotations

import pytest

from batchctl.model.admission import AdmissionLimits
from batchctl.model.attempts import CancelCause
from batchctl.model.observed import RowCounts
from batchctl.model.row_work import RowsSent
from batchctl.model.stack import Limits
from batchctl.reconcile import Options, Scope
from tests.support.decisions import (
    HOUR,
    LOCAL,
    NOW,
    Situation,
    attempt,
    collected,
    decide,
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

RETRY = Options(Scope(names=frozenset({"a"})), retry=True)
REJECTED = attempt(1, None, remote=None, rejected=True)
AGAIN = "record job a@1 retry-requested | record job a@2 | create a@2.0"
ORDER = f"retry Waiting consent | {AGAIN}"
REFUSED = "! RetryRefused"
PART = RowCounts(10, 9, 1)
SENT = RowsSent(10, 10, "", verdicts={"OK": 9, "SAFETY": 1})


def told(situation: Situation, options: Options = RETRY) -> str:
    """The plan without the drift that is reported beside it."""
    return show(replace(situation, options=options).decide()).partition(" | ~")[0]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(one(collected(1, "FAILED", results="a/1")), ORDER, id="failed, no retry allowed"),
        pytest.param(one(collected(1, "EXPIRED")), ORDER, id="expired"),
        pytest.param(one(collected(1, "FAILED"), backoff_limit=3), ORDER, id="failed, its back-off runs: at once"),
        pytest.param(
            one(attempt(1, "FAILED")),
            "retry Waiting consent | record job a@1 retry-requested | collect a@1.0 | record job a@2 | create a@2.0",
            id="failed, not collected: that first",
        ),
        pytest.param(one(collected(1, "SUCCEEDED", rows=RowCounts(3, 0, 3))), ORDER, id="every row failed"),
        pytest.param(one(collected(1, "CANCELLED")), ORDER, id="cancelled by somebody"),
        pytest.param(
            ordered(one(collected(1, "CANCELLED", cancel_cause=CancelCause.USER))),
            ORDER,
            id="cancelled by batchctl cancel",
        ),
        pytest.param(
            vanished(attempt(cancel_cause=CancelCause.USER)),
            "retry Waiting consent | record a@1.0 gone | record job a@1 retry-requested | record job a@2 | create a@2.0",
            id="cancelled by batchctl cancel, and gone",
        ),
        pytest.param(
            vanished(attempt()),
            "retry Waiting consent | record a@1.0 gone | record job a@1 retry-requested | record job a@2 | create a@2.0",
            id="missing",
        ),
        pytest.param(
            vanished(attempt(1, "SUCCEEDED", gone_time=LOCAL)), ORDER, id="succeeded and lost before it was collected"
        ),
        pytest.param(one(attempt(1, "SUCCEEDED", results_lost=True)), ORDER, id="its results are lost"),
        pytest.param(Situation(job(), row(job(), REJECTED)), ORDER, id="rejected"),
        pytest.param(one(collected(rows=PART, sent=SENT)), ORDER, id="it succeeded, and a row has no good answer"),
    ],
)
def test_what_ended_without_success_gets_a_new_attempt(situation: Situation, expected: str) -> None:
    assert told(situation) == expected


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        pytest.param(one(attempt()), "it has not ended; `batchctl cancel` stops it", id="it works"),
        pytest.param(one(attempt(1, "CANCELLING")), "it has not ended", id="it is being cancelled"),
        pytest.param(one(collected()), "it has succeeded; change spec.runId", id="it succeeded"),
        pytest.param(one(collected(1, "PARTIALLY_SUCCEEDED")), "it has succeeded", id="partial success is one"),
        pytest.param(one(collected(rows=PART)), "it has succeeded", id="a row failed, and there is no ledger"),
        pytest.param(
            vanished(collected(gone_time=LOCAL)), "it has succeeded", id="it succeeded, was collected and is gone"
        ),
        pytest.param(Situation(job()), "it was never created; `batchctl apply` creates it", id="never created"),
        pytest.param(Situation(job(), row(job(), unanswered())), "its create call is not settled", id="not settled"),
        pytest.param(
            Situation(job(), row(job(), attempt(1, None, remote=None))), "its create call is not settled", id="not sent"
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), collected(1, "FAILED")), look(seen(collected(1, "FAILED")))),
            "its manifest has changed; `batchctl apply`",
            id="its manifest has changed",
        ),
        pytest.param(
            Situation(None, row(job(), collected(1, "FAILED")), look(seen(collected(1, "FAILED")))),
            "no manifest describes it any more",
            id="no manifest",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(complete=False)), "it cannot be seen now", id="not seen"
        ),
        pytest.param(
            Situation(job(), None, look(seen(attempt(1, "FAILED")))), "`batchctl apply` adopts it", id="not recorded"
        ),
    ],
)
def test_what_cannot_be_tried_again_is_refused_with_the_reason(situation: Situation, words: str) -> None:
    made = replace(situation, options=RETRY).decide()
    (guard,) = made.guards
    assert words in guard.message
    assert show(made).endswith(REFUSED)
    assert "create" not in show(made).split(" | ", 1)[-1]


def test_only_the_jobs_that_are_named_are_tried_again() -> None:
    failed = collected(1, "FAILED", name="b", results="b/1")
    made = decide(
        [job(), job("b")],
        [row(job(), collected(1, "FAILED")), row(job("b"), failed)],
        [look(seen(collected(1, "FAILED")), seen(failed))],
        Options(Scope(names=frozenset({"b"})), retry=True),
    )
    assert [decided.job for decided in made.jobs] == ["b"]
    assert show(made, "b") == "retry Waiting consent | record job b@1 retry-requested | record job b@2 | create b@2.0"


def test_it_has_to_be_agreed_to() -> None:
    made = told(one(collected(1, "FAILED")), replace(RETRY, consent=False))
    assert made == "retry Waiting consent | ! ConsentNeeded"


def test_it_counts_against_the_most_creates() -> None:
    made = told(one(collected(1, "FAILED")), replace(RETRY, max_create=0))
    assert made == "retry Waiting consent | ! TooManyCreates"


ORDERED = row(job(), collected(1, "FAILED"), retry_requested=LOCAL)
SEEN = look(seen(collected(1, "FAILED")))


def one_suspended() -> Situation:
    wanted = job(suspend=True)
    return Situation(wanted, row(wanted, collected(1, "FAILED"), retry_requested=LOCAL), SEEN)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(), ORDERED, SEEN), "retry Waiting | record job a@2 | create a@2.0", id="it is followed"
        ),
        pytest.param(
            Situation(job(), ORDERED, SEEN, Options(consent=False)),
            "retry Waiting | record job a@2 | create a@2.0",
            id="nobody has to agree again",
        ),
        pytest.param(one_suspended(), "wait Waiting", id="the job is suspended: it stands"),
        pytest.param(Situation(job(), ORDERED, SEEN, suspended=True), "wait Waiting", id="the stack is suspended"),
        pytest.param(
            Situation(job(), ORDERED, look(complete=False)), "wait Waiting", id="it cannot be seen: it stands"
        ),
        pytest.param(
            Situation(job(work="2"), ORDERED, SEEN),
            "replace Failed consent | delete a@1.0 | record job a@2 | create a@2.0",
            id="its manifest has changed: that is followed, and the order is done with",
        ),
        pytest.param(
            Situation(None, ORDERED, SEEN, Options(allow_empty=True)),
            "delete Failed consent | delete a@1.0 | forget a",
            id="its manifest is gone",
        ),
    ],
)
def test_an_order_stands_until_it_is_followed(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_the_new_attempt_is_free_of_the_order() -> None:
    again = row(job(), collected(1, "FAILED"), attempt(2, "FAILED", results="a/2"))
    made = Situation(job(), again, look(seen(collected(1, "FAILED")), seen(attempt(2, "FAILED")))).decide()
    assert show(made) == "none Failed"
    assert "backoffLimit is 0" in made.jobs[0].reason


def test_a_suspended_job_keeps_the_order() -> None:
    assert told(one(collected(1, "FAILED"), suspend=True)) == "wait Waiting consent | record job a@1 retry-requested"


def test_a_full_queue_keeps_the_order() -> None:
    working = attempt(name="b")
    made = decide(
        [job(), job("b")],
        [row(job(), collected(1, "FAILED")), row(job("b"), working)],
        [look(seen(collected(1, "FAILED")), seen(working))],
        RETRY,
        limits=Limits(admission=AdmissionLimits(active=1)),
    )
    assert show(made) == "wait Waiting consent | record job a@1 retry-requested"
    assert made.jobs[0].queue is not None


def test_what_it_depends_on_comes_first() -> None:
    failed = collected(1, "FAILED")
    wanted = job(needs=["b"])
    made = decide([wanted, job("b")], [row(wanted, failed)], [look(seen(failed))], RETRY)
    assert show(made) == "wait Waiting consent | record job a@1 retry-requested"
    assert "waits for b" in made.jobs[0].reason


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (ORDERED, "cancel Failed | record job a@1"),
        (row(job(), REJECTED, retry_requested=NOW - HOUR), "cancel Rejected | record job a@1"),
    ],
)
def test_a_cancel_calls_the_order_off(record, expected: str) -> None:
    observed = SEEN if record is ORDERED else look()
    assert show(Situation(job(), record, observed, Options(cancel=True)).decide()) == expected
