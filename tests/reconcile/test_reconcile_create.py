"""Rows of the decision table that lead to a first attempt: nothing known, a mark found, an intent, a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reconcile_build import (
    FAILURE,
    GRACE,
    HERE,
    LOCAL,
    SECOND,
    THERE,
    Situation,
    attempt,
    collected,
    decide,
    digest,
    found,
    job,
    look,
    mark,
    row,
    seen,
    show,
    token,
    unanswered,
)

from batchctl.model.desired import DesiredJob, OnChange
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RowCounts
from batchctl.model.plan import Create, Note, RecordAttempt, RecordJob
from batchctl.model.recorded import CancelCause, RecordedAttempt
from batchctl.reconcile import Options

PARTIAL = look(complete=False)
KNOWN = row(job(), attempt())
ADOPT_CHANGED = Options(adopt_changed=True)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job()), "create Waiting consent | row a@1 | create a@1.0", id="yes, -, no mark found: create"
        ),
        pytest.param(Situation(job(), None, PARTIAL), "wait Unknown", id="no mark found, but a page failed: wait"),
        pytest.param(
            Situation(job(account=THERE)), "wait Unknown", id="no mark found, but nobody looked at its account: wait"
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
            "create Waiting consent | row a@1 | create a@1.0",
            id="recorded without attempts, its lifecycle changed: the row is written too",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, mark=None), found(2, mark=mark(2, uid="fedcba")))),
            "create Waiting consent | row a@1 | create a@1.0",
            id="jobs without a mark and with another uid's are not ours: create",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, mark=mark(stack="shop-2")))),
            "create Waiting consent | row a@1 | create a@1.0",
            id="a job with another stack's name is not ours: create",
        ),
    ],
)
def test_nothing_known(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(), None, look(found(1))),
            "adopt Active | row a@1 | record a@1.0 adopted",
            id="our mark, same digest: adopt",
        ),
        pytest.param(
            Situation(job(), None, look(found(1), complete=False)),
            "adopt Active | row a@1 | record a@1.0 adopted",
            id="our mark on the first page, the second failed: adopt",
        ),
        pytest.param(
            Situation(job(suspend=True), None, look(found(1))),
            "adopt Active | row a@1 | record a@1.0 adopted",
            id="our mark, suspended: adopt",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "SUCCEEDED"))),
            "adopt Succeeded | row a@1 | record a@1.0 adopted | collect a@1.0",
            id="our mark, same digest, succeeded: adopt and collect",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "FAILED"))),
            "adopt Failed | row a@1 | record a@1.0 adopted | collect a@1.0",
            id="our mark, same digest, failed: adopt and collect what there is",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "CANCELLED"))),
            "adopt Cancelled | row a@1 | record a@1.0 adopted | collect a@1.0",
            id="our mark, cancelled before the state was lost: adopt, no drift",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "BREWING"))),
            "adopt Unknown | row a@1 | record a@1.0 adopted",
            id="our mark, a state we do not know: adopt",
        ),
        pytest.param(
            Situation(job(), None, look(found(2), found(1, "FAILED"), found(3))),
            "cancel Active | row a@3 | record a@1.0 adopted | record a@2.0 adopted | record a@3.0 adopted"
            " | cancel a@2.0 duplicate | ~ Duplicate",
            id="state lost, several attempts: the highest is current, an older live one is cancelled",
        ),
        pytest.param(
            Situation(job(), None, look(found(1, "FAILED"), found(2, "SUCCEEDED"))),
            "adopt Succeeded | row a@2 | record a@1.0 adopted | record a@2.0 adopted | collect a@2.0",
            id="state lost, several attempts: the highest is current, an older dead one is left",
        ),
        pytest.param(
            Situation(job(), row(job(), collected(1)), look(seen(collected(1)), found(2))),
            "adopt Active | row a@2 | record a@2.0 adopted",
            id="an old state file: a higher attempt is found and becomes current",
        ),
        pytest.param(
            Situation(
                job(), row(job(), attempt(2, "SUCCEEDED", results="x")), look(found(1, "FAILED"), found(2, "SUCCEEDED"))
            ),
            "adopt Succeeded | record a@1.0 adopted",
            id="a lower attempt is found: recorded, and the current one stays",
        ),
        pytest.param(
            Situation(job(backoff_limit=1), None, look(found(1, "FAILED"))),
            "retry Waiting | row a@1 | record a@1.0 adopted | collect a@1.0 | row a@2 | create a@2.0",
            id="our mark, failed, retries left: adopt and go on by the other rows",
        ),
    ],
)
def test_mark_found(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        pytest.param(job(work="7"), {"digest": digest("7"), "tree": job(work="7").tree}, id="same work: known in full"),
        pytest.param(job(work="8"), {"digest": digest("7")[:15], "tree": {}}, id="other work: known by its mark"),
    ],
)
def test_an_adopted_record_holds_what_the_mark_and_the_api_say(wanted: DesiredJob, known: dict[str, object]) -> None:
    remote = found(2, work="7", rows=RowCounts(5, 1, 0))

    made = decide([wanted], [], [look(remote)]).jobs[0]

    bare = RecordedAttempt(
        AttemptKey("a", 2),
        HERE,
        "",
        token(2),
        remote="batches/a-2",
        state="JOB_STATE_RUNNING",
        create_time=remote.create_time,
        start_time=remote.start_time,
        rows=RowCounts(5, 1, 0),
        adopted=True,
    )
    assert made.steps[1] == RecordAttempt(replace(bare, **known), Note.ADOPTED)
    assert made.attempt == replace(bare, **known)
    assert made.remote == "batches/a-2"


def test_an_adopted_record_becomes_known_in_full_once_its_work_is_desired() -> None:
    by_mark = attempt(1, digest=digest("1")[:15], tree={}, adopted=True)

    [step] = decide([job()], [row(job(), by_mark)], [look(found())]).jobs[0].steps

    assert step == RecordAttempt(replace(by_mark, digest=digest("1"), tree=job().tree), Note.REFRESHED)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(work="2"), None, look(found(1))),
            "adopt Removing consent | row a@1 | record a@1.0 adopted | ! AdoptedChanged",
            id="our mark, other digest, active: adopt as a record; what follows needs a flag",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1)), ADOPT_CHANGED),
            "replace Removing unfinished consent | row a@1 | record a@1.0 adopted | cancel a@1.0 replace",
            id="our mark, other digest, active, --adopt-changed: replaced",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1, "SUCCEEDED"))),
            "adopt Succeeded consent | row a@1 | record a@1.0 adopted | collect a@1.0 | ! AdoptedChanged",
            id="our mark, other digest, succeeded: its results are collected all the same",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1, "SUCCEEDED")), ADOPT_CHANGED),
            "replace Succeeded consent | row a@1 | record a@1.0 adopted | collect a@1.0 | delete a@1.0 | row a@2 | create a@2.0",
            id="our mark, other digest, succeeded, --adopt-changed: replaced",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), collected(1, adopted=True, tree={})), look(seen(collected()))),
            "replace Succeeded consent | ! AdoptedChanged",
            id="adopted in an earlier pass, its work never seen: still needs the flag",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), collected(1, adopted=True)), look(seen(collected()))),
            "replace Succeeded consent | delete a@1.0 | row a@2 | create a@2.0",
            id="adopted in an earlier pass, its work known: replaced",
        ),
        pytest.param(
            Situation(job(work="2", on_change=OnChange.KEEP), None, look(found(1))),
            "adopt Active | row a@1 | record a@1.0 adopted",
            id="our mark, other digest, onChange keep: adopt and follow",
        ),
        pytest.param(
            Situation(job(work="2", on_change=OnChange.FAIL), None, look(found(1))),
            "adopt Active | row a@1 | record a@1.0 adopted | ! OnChangeFail",
            id="our mark, other digest, onChange fail: adopt and refuse",
        ),
        pytest.param(
            Situation(job(work="2", suspend=True), None, look(found(1))),
            "adopt Active | row a@1 | record a@1.0 adopted",
            id="our mark, other digest, suspended: adopt and follow",
        ),
        pytest.param(
            Situation(job(work="2"), None, look(found(1, "BREWING"))),
            "adopt Unknown | row a@1 | record a@1.0 adopted",
            id="our mark, other digest, a state we do not know: adopt and wait",
        ),
    ],
)
def test_mark_of_other_work_found(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


@pytest.mark.parametrize("digest_text", ["d1:", "d1:1", "d2:111111111111"])
def test_a_short_or_other_digest_never_passes_for_the_same_work(digest_text: str) -> None:
    remote = found(1, mark=mark(digest=digest_text))

    assert show(decide([job()], [], [look(remote)])).endswith("! AdoptedChanged")


LOOKED = LOCAL - GRACE
TOKEN_FOUND = look(found(1))


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(), row(job(), unanswered()), TOKEN_FOUND),
            "adopt Active | record a@1.0 adopted",
            id="yes, intent without a name, token found: adopt",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered()), look(found(1), complete=False)),
            "adopt Active | record a@1.0 adopted",
            id="token found on the first page, the second failed: adopt",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered(first_look=LOOKED)), look(found(1, "SUCCEEDED"))),
            "adopt Succeeded | record a@1.0 adopted | collect a@1.0",
            id="token found when the grace is over, finished: adopt and collect",
        ),
        pytest.param(
            Situation(None, row(job(), unanswered()), TOKEN_FOUND, Options(allow_empty=True)),
            "delete Removing unfinished consent | record a@1.0 adopted | row a@1 removing | cancel a@1.0 remove",
            id="no, intent without a name, token found: adopt, then as removed",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), unanswered()), TOKEN_FOUND),
            "replace Removing unfinished consent | record a@1.0 adopted | cancel a@1.0 replace",
            id="digest changed meanwhile, token found: adopt, then as changed",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered()), PARTIAL),
            "wait Settling",
            id="intent without a name, list incomplete: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered(first_look=LOOKED)), PARTIAL),
            "wait Settling",
            id="grace over, list incomplete: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered(account=THERE))),
            "wait Settling",
            id="intent in an account that nobody looked at: wait",
        ),
        pytest.param(
            Situation(None, row(job(), unanswered()), PARTIAL),
            "wait Settling",
            id="no, intent without a name, list incomplete: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered())),
            "wait Settling | record a@1.0 looked for in vain",
            id="intent without a name, first complete look: the grace begins",
        ),
        pytest.param(
            Situation(None, row(job(), unanswered())),
            "wait Settling | record a@1.0 looked for in vain",
            id="no, intent without a name, first complete look: the grace begins",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered(first_look=LOOKED + SECOND))),
            "wait Settling",
            id="intent without a name, grace running for one more second: wait",
        ),
        pytest.param(
            Situation(None, row(job(), unanswered(first_look=LOOKED + SECOND))),
            "wait Settling",
            id="no, intent without a name, grace running: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered(first_look=LOOKED))),
            f"create Waiting | create a@1.0 {token(1)}",
            id="yes, not found, grace just over: create with the same token",
        ),
        pytest.param(
            Situation(job(), row(job(), unanswered(first_look=LOOKED)), options=Options(consent=False, max_create=0)),
            f"create Waiting | create a@1.0 {token(1)}",
            id="not found, grace over: agreed to before, so no guard stands in the way",
        ),
        pytest.param(
            Situation(job(suspend=True), row(job(suspend=True), unanswered(first_look=LOOKED))),
            "wait Waiting",
            id="not found, grace over, suspended: wait",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), unanswered(first_look=LOOKED))),
            "create Waiting consent | record a@1.0 abandoned | row a@2 | create a@2.0",
            id="not found, grace over, digest changed meanwhile: a new attempt",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), unanswered())),
            "wait Settling | record a@1.0 looked for in vain",
            id="digest changed meanwhile, grace begins: wait",
        ),
        pytest.param(
            Situation(job(account=THERE), row(job(), unanswered(first_look=LOOKED)), look()),
            "wait Unknown | row a@1 | record a@1.0 abandoned",
            id="not found, grace over, moved to an account that nobody looked at: given up, then wait",
        ),
        pytest.param(
            Situation(None, row(job(), unanswered(first_look=LOOKED))),
            "forget Removing | forget a",
            id="no, not found, grace over: forget",
        ),
        pytest.param(
            Situation(
                None,
                row(job(), attempt(1), unanswered(2, first_look=LOOKED)),
                look(found(1)),
                Options(allow_empty=True),
            ),
            "delete Removing unfinished consent | row a@2 removing | cancel a@1.0 remove | ~ Duplicate",
            id="no, not found, grace over, an older attempt lives: removed",
        ),
    ],
)
def test_settlement(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def test_the_grace_runs_on_the_local_clock_from_the_first_complete_look() -> None:
    looking = Situation(job(), row(job(), unanswered())).decide().jobs[0]

    [step] = looking.steps
    assert isinstance(step, RecordAttempt)
    assert step.attempt.intent is not None
    assert step.attempt.intent.first_look == LOCAL
    assert looking.next_time == LOCAL + GRACE
    running = Situation(job(), row(job(), unanswered(first_look=LOCAL - SECOND))).decide().jobs[0]
    assert running.next_time == LOCAL - SECOND + GRACE


def test_an_abandoned_attempt_has_no_intent_and_is_gone() -> None:
    record = unanswered(first_look=LOOKED)

    steps = Situation(job(work="2"), row(job(), record)).decide().jobs[0].steps

    assert steps[0] == RecordAttempt(replace(record, intent=None, gone_time=LOCAL), Note.ABANDONED)


ABANDONED = attempt(1, None, remote=None, gone_time=LOCAL)
UNSENT = attempt(1, None, remote=None)
REJECTED = attempt(1, None, remote=None, rejected=True, error=FAILURE)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            Situation(job(work="2"), row(job(), ABANDONED)),
            "create Waiting consent | row a@2 | create a@2.0",
            id="given up, and no other attempt yet: never the same number again",
        ),
        pytest.param(
            Situation(job(), row(job(), ABANDONED)),
            "create Waiting consent | row a@2 | create a@2.0",
            id="given up, and changed back: never the same number again",
        ),
        pytest.param(
            Situation(job(), row(job(), ABANDONED), PARTIAL),
            "wait Unknown",
            id="given up, list incomplete: wait",
        ),
        pytest.param(
            Situation(job(), row(job(), UNSENT)),
            f"create Waiting consent | create a@1.0 {token(1)}",
            id="surely unsent: the same attempt again",
        ),
        pytest.param(
            Situation(job(), row(job(), UNSENT), PARTIAL),
            f"create Waiting consent | create a@1.0 {token(1)}",
            id="surely unsent, list incomplete: the same attempt again",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), UNSENT)),
            "create Waiting consent | create a@1.0",
            id="surely unsent, digest changed meanwhile: the same attempt with a token of its own",
        ),
        pytest.param(
            Situation(job(account=THERE), row(job(), UNSENT), look(account=THERE)),
            "create Waiting consent | row a@1 | create a@1.0",
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
            "create Waiting consent | row a@2 | create a@2.0",
            id="intent refused for good: again after a change",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), REJECTED), PARTIAL),
            "wait Unknown",
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

    assert show(made) == "create Waiting consent | row a@1 | create a@1.0"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(FAILURE, "the API refused it: the model is on holiday", id="with a reason"),
        pytest.param(None, "the API refused it: no reason was given", id="without"),
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
