"""A look that is incomplete never leads to a create, a cancel, a delete or a forget; what was seen is written down."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.reconcile import Options
from tests.support.decisions import (
    GRACE,
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
)
from tests.support.values import replace

EMPTY = Options(allow_empty=True)
FAILED = attempt(1, "FAILED", results="a/1")


def one(record: RecordedAttempt, state: str | None = None, **lifecycle: object) -> Situation:
    wanted = job(**lifecycle)
    return Situation(wanted, row(wanted, record), look(seen(record, state)), EMPTY)


@pytest.mark.parametrize(
    ("situation", "complete", "partial"),
    [
        pytest.param(
            one(attempt(), active_deadline=SECOND),
            "cancel Active unfinished | cancel a@1.0 deadline",
            "wait Active",
            id="deadline",
        ),
        pytest.param(
            one(attempt(1, cancel_time=NOW - HOUR, cancel_cause=CancelCause.USER)),
            "cancel Cancelling unfinished | cancel a@1.0 user",
            "wait Cancelling",
            id="cancel sent again",
        ),
        pytest.param(
            one(FAILED, backoff_limit=1),
            "retry Waiting | record job a@2 | create a@2.0",
            "wait Waiting",
            id="retry: a higher attempt could be on the page that failed",
        ),
        pytest.param(
            one(attempt(1, "FAILED"), backoff_limit=1),
            "retry Waiting | collect a@1.0 | record job a@2 | create a@2.0",
            "collect Waiting | collect a@1.0",
            id="retry: what there is can be collected",
        ),
        pytest.param(
            one(collected(), ttl_after_finished=SECOND),
            "delete Succeeded | delete a@1.0",
            "wait Succeeded",
            id="ttl",
        ),
        pytest.param(
            replace(one(attempt()), wanted=job(work="2")),
            "replace Active unfinished consent | cancel a@1.0 replace",
            "wait Active",
            id="replace",
        ),
        pytest.param(
            replace(one(attempt()), wanted=None),
            "delete Active unfinished consent | record job a@1 removing | cancel a@1.0 remove",
            "wait Active",
            id="remove, active",
        ),
        pytest.param(
            replace(one(attempt(1, "SUCCEEDED")), wanted=None),
            "delete Succeeded consent | collect a@1.0 | delete a@1.0 | forget a",
            "collect Succeeded | collect a@1.0",
            id="remove, finished",
        ),
        pytest.param(
            Situation(None, row(job(), collected(gone_time=NOW)), look(), EMPTY),
            "forget Removing | forget a",
            "wait Removing",
            id="forget",
        ),
        pytest.param(
            Situation(job(), row(job(), attempt()), look(found(), found(1, suffix="-second", age=HOUR))),
            "cancel Active | cancel a@1.0 batches/a-1-second duplicate | ~ Duplicate",
            "wait Active | ~ Duplicate",
            id="duplicate: the succeeded one could be on the page that failed",
        ),
        pytest.param(
            Situation(job(), None, look()),
            "create Waiting consent | record job a@1 | create a@1.0",
            "wait Unknown",
            id="create",
        ),
    ],
)
def test_nothing_is_bought_or_stopped(situation: Situation, complete: str, partial: str) -> None:
    assert show(situation.decide()) == complete
    torn = replace(situation, look=replace(situation.look, complete=False, problem="page 2 failed"))
    made = torn.decide()
    assert show(made) == partial
    assert made.jobs[0].reason.endswith("page 2 failed")
    assert list(made.problems.values()) == ["page 2 failed"]
    assert made.guards == ()


def test_the_old_and_the_new_account_both_count() -> None:
    record = row(job(), collected())
    moved = job(account=THERE, work="2")
    torn = look(account=THERE, complete=False)

    made = decide([moved], [record], [look(seen(collected())), torn])

    assert show(made) == "wait Succeeded | record job a@1"
    assert made.problems == {THERE: "page 2 failed"}


def test_a_lost_create_is_not_sent_again_while_an_older_attempt_cannot_be_seen() -> None:
    record = row(job(), collected(1, account=THERE), unanswered(2, first_look=LOCAL - GRACE))

    assert show(decide([job()], [record], [look(), look(account=THERE, complete=False)])) == "wait Waiting"


def test_another_account_does_not_count() -> None:
    torn = look(account=THERE, complete=False)

    assert show(decide([job()], [], [look(), torn])) == "create Waiting consent | record job a@1 | create a@1.0"


def test_jobs_of_other_accounts_go_on() -> None:
    made = decide([job("a"), job("b", account=THERE)], [], [look(complete=False), look(account=THERE)])

    assert show(made, "a") == "wait Unknown"
    assert show(made, "b") == "create Waiting consent | record job b@1 | create b@1.0"
