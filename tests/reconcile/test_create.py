"""Rows of the decision table that lead to a first attempt: nothing known, unsent, given up, refused."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause
from batchctl.model.keys import AttemptKey
from batchctl.model.steps import Create, RecordJob
from tests.support.decisions import (
    FAILURE,
    LOCAL,
    THERE,
    Situation,
    attempt,
    decide,
    found,
    job,
    look,
    mark,
    row,
    seen,
    show,
    token,
)
from tests.support.values import replace

PARTIAL = look(complete=False)
TOKEN_FOUND = look(found(1))
AGAIN = "again only after a change, or by `batchctl retry`"


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job()),
            "create Waiting consent | record job a@1 | create a@1.0",
            id="yes, -, no mark found: create",
        ),
        pytest.param(Situation(job(), None, PARTIAL), "wait Unknown", id="no mark found, but a page failed: wait"),
        pytest.param(
            Situation(job(account=THERE)), "wait Unknown", id="no mark found, but its account was not read: wait"
        ),
        pytest.param(Situation(job(suspend=True)), "wait Waiting", id="no mark found, job suspended: wait"),
        pytest.param(Situation(job(), suspended=True), "wait Waiting", id="no mark found, stack suspended: wait"),
        pytest.param(
            Situation(job(), row(job())),
            "create Waiting consent | create a@1.0",
            id="recorded without attempts, no mark found: create",
        ),
        pytest.param(
            Situation(job(), row(job(suspend=True))),
            "create Waiting consent | record job a@1 | create a@1.0",
            id="recorded without attempts, its lifecycle changed: the row is written too",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, mark=None), found(2, mark=mark(2, uid="fedcba")))),
            "create Waiting consent | record job a@1 | create a@1.0",
            id="jobs without a mark and with another uid's are not ours: create",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, mark=mark(stack="shop-2")))),
            "create Waiting consent | record job a@1 | create a@1.0",
            id="a job with another stack's name is not ours: create",
        ),
    ],
)
def test_nothing_known(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        pytest.param(Situation(job()), "new in the manifests", id="new"),
        pytest.param(
            Situation(job(), None, PARTIAL),
            "cannot tell whether it was created already: page 2 failed",
            id="a page failed",
        ),
        pytest.param(
            Situation(job(account=THERE)),
            "cannot tell whether it was created already: its account was not read",
            id="nobody looked",
        ),
    ],
)
def test_a_first_attempt_is_explained(situation: Situation, words: str) -> None:
    assert situation.decide().jobs[0].reason == words


ABANDONED = attempt(1, None, remote=None, gone_time=LOCAL)
UNSENT = attempt(1, None, remote=None)
REJECTED = attempt(1, None, remote=None, rejected=True, error=FAILURE)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(work="2"), row(job(), ABANDONED)),
            "create Waiting consent | record job a@2 | create a@2.0",
            id="given up, and no other attempt yet: never the same number again",
        ),
        pytest.param(
            Situation(job(), row(job(), ABANDONED)),
            "create Waiting consent | record job a@2 | create a@2.0",
            id="given up, and changed back: never the same number again",
        ),
        pytest.param(
            Situation(job(), row(job(), ABANDONED), PARTIAL),
            "wait Waiting",
            id="given up, list incomplete: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), UNSENT)),
            f"create Waiting | create a@1.0 {token(1)}",
            id="surely unsent: the same attempt again, agreed to before",
        ),
        pytest.param(
            Situation(job(), row(job(), UNSENT), PARTIAL),
            f"create Waiting | create a@1.0 {token(1)}",
            id="surely unsent, list incomplete: the same attempt again",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), UNSENT)),
            "create Waiting consent | create a@1.0",
            id="surely unsent, digest changed meanwhile: the same attempt with a token of its own",
        ),
        pytest.param(
            Situation(job(account=THERE), row(job(), UNSENT), look(account=THERE)),
            "create Waiting consent | record job a@1 | create a@1.0",
            id="surely unsent, moved while the old account was not looked at: nothing there to look for",
        ),
        pytest.param(
            Situation(job(), row(job(), UNSENT), TOKEN_FOUND),
            "adopt Active | record a@1.0 adopted",
            id="taken for unsent, token found: adopt",
        ),
        pytest.param(
            Situation(job(), row(job(), REJECTED)),
            "none Rejected",
            id="yes, intent refused for good: Rejected",
        ),
        pytest.param(
            Situation(job(backoff_limit=9), row(job(backoff_limit=9), REJECTED)),
            "none Rejected",
            id="intent refused for good, retries left: Rejected all the same",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), REJECTED)),
            "create Waiting consent | record job a@2 | create a@2.0",
            id="intent refused for good: again after a change",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), REJECTED), PARTIAL),
            "wait Waiting",
            id="intent refused for good, changed, list incomplete: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), REJECTED), TOKEN_FOUND),
            "adopt Active | record a@1.0 adopted",
            id="refused, it was said, but the token is found: adopt",
        ),
        pytest.param(
            Situation(None, row(job(), REJECTED)), "forget Removing | forget a", id="no, refused for good: forget"
        ),
        pytest.param(Situation(None, row(job(), UNSENT)), "forget Removing | forget a", id="no, unsent: forget"),
    ],
)
def test_no_remote_job(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_an_unsent_attempt_in_another_account_gets_a_new_token() -> None:
    made = decide([job(account=THERE)], [row(job(), UNSENT)], [look(), look(account=THERE)])

    assert show(made) == "create Waiting consent | record job a@1 | create a@1.0"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(FAILURE, f"the API refused it: the model is on holiday; {AGAIN}", id="with a reason"),
        pytest.param(None, f"the API refused it: no reason was given; {AGAIN}", id="without"),
    ],
)
def test_a_refusal_is_explained(error: object, words: str) -> None:
    made = decide([job()], [row(job(), replace(REJECTED, error=error))], [look()])

    assert made.jobs[0].reason == words


def test_a_new_attempt_starts_free_of_a_cancel() -> None:
    record = row(job(), attempt(1, "CANCELLED", cancel_cause=CancelCause.USER), cancel_requested=LOCAL)
    changed = job(work="2")

    made = decide([changed], [record], [look(seen(record.attempts[0]))])

    steps = [step for step in made.jobs[0].steps if isinstance(step, RecordJob | Create)]
    assert isinstance(steps[0], RecordJob)
    assert steps[0].job.cancel_requested is None
    assert steps[1] == Create(AttemptKey("a", 2))
