"""Rows `intent without a name`: an unanswered create call is settled by looking for its token."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.attempts import Intent
from batchctl.model.steps import Note, RecordAttempt, Step
from batchctl.reconcile import Options
from tests.support.decisions import (
    GRACE,
    HOUR,
    LOCAL,
    MINUTE,
    NOW,
    SECOND,
    THERE,
    Situation,
    attempt,
    found,
    job,
    look,
    row,
    show,
    token,
    unanswered,
)
from tests.support.values import replace

PARTIAL = look(complete=False)
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
            "delete Active unfinished consent | record a@1.0 adopted | record job a@1 removing | cancel a@1.0 remove",
            id="no, intent without a name, token found: adopt, then as removed",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), unanswered()), TOKEN_FOUND),
            "replace Active unfinished consent | record a@1.0 adopted | cancel a@1.0 replace",
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
            "wait Settling | record a@1.0 not found",
            id="intent without a name, first complete look: the grace begins",
        ),
        pytest.param(
            Situation(None, row(job(), unanswered())),
            "wait Settling | record a@1.0 not found",
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
            "create Waiting consent | record a@1.0 abandoned | record job a@2 | create a@2.0",
            id="not found, grace over, digest changed meanwhile: a new attempt",
        ),
        pytest.param(
            Situation(job(work="2"), row(job(), unanswered())),
            "wait Settling | record a@1.0 not found",
            id="digest changed meanwhile, grace begins: wait",
        ),
        pytest.param(
            Situation(job(account=THERE), row(job(), unanswered(first_look=LOOKED)), look()),
            "wait Waiting | record job a@1 | record a@1.0 abandoned",
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
            "delete Waiting unfinished consent | record job a@2 removing | cancel a@1.0 remove | ~ Duplicate",
            id="no, not found, grace over, an older attempt lives: removed",
        ),
    ],
)
def test_settlement(situation: Situation, expected: str) -> None:
    assert show(situation.decide()) == expected


def intent_of(step: Step) -> Intent | None:
    assert isinstance(step, RecordAttempt)
    return step.attempt.intent


def test_the_grace_runs_on_both_clocks_from_the_first_complete_look() -> None:
    looking = Situation(job(), row(job(), unanswered()), replace(look(), took=7 * SECOND)).decide().jobs[0]

    [step] = looking.steps
    assert intent_of(step) == Intent(LOCAL - 10 * MINUTE, LOCAL, NOW - 7 * SECOND)
    assert looking.next_time == LOCAL + GRACE
    running = Situation(job(), row(job(), unanswered(first_look=LOCAL - SECOND))).decide().jobs[0]
    assert running.next_time == LOCAL - SECOND + GRACE


AGAIN = f"create Waiting | create a@1.0 {token(1)}"
ANEW = "wait Settling | record a@1.0 not found"
RUNNING = "wait Settling"
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("here", "there", "expected", "left"),
    [
        pytest.param(GRACE, GRACE, AGAIN, None, id="over on both"),
        pytest.param(GRACE - SECOND, GRACE, RUNNING, SECOND, id="not over on the local clock"),
        pytest.param(GRACE, GRACE - SECOND, RUNNING, SECOND, id="not over on the provider's clock"),
        pytest.param(HOUR + SECOND, SECOND, RUNNING, GRACE - SECOND, id="the local clock was put forward"),
        pytest.param(SECOND, HOUR + SECOND, RUNNING, GRACE - SECOND, id="the provider's clock was put forward"),
        pytest.param(GRACE - DAY, GRACE, ANEW, GRACE, id="the local clock was put back by a day"),
        pytest.param(GRACE, GRACE - DAY, ANEW, GRACE, id="the provider's clock was put back by a day"),
        pytest.param(-DAY, DAY, ANEW, GRACE, id="one back, the other forward"),
        pytest.param(-MINUTE, MINUTE, RUNNING, GRACE + MINUTE, id="put back by less than the grace: it takes longer"),
        pytest.param(-GRACE, GRACE, RUNNING, 2 * GRACE, id="put back by just the grace"),
        pytest.param(-GRACE - SECOND, GRACE, ANEW, GRACE, id="put back by a second more"),
    ],
)
def test_no_jump_of_a_clock_ends_the_grace_sooner(
    here: timedelta, there: timedelta, expected: str, left: timedelta | None
) -> None:
    record = replace(unanswered(), intent=Intent(LOCAL - DAY, LOCAL - here, NOW - there))

    made = Situation(job(), row(job(), record)).decide()

    assert show(made) == expected
    assert made.jobs[0].next_time == (None if left is None else LOCAL + left)
    if expected == ANEW:
        assert intent_of(made.jobs[0].steps[0]) == Intent(LOCAL - DAY, LOCAL, NOW)


def test_an_intent_of_a_state_that_knew_one_clock_begins_its_grace_anew() -> None:
    record = replace(unanswered(), intent=Intent(LOCAL - DAY, LOCAL - HOUR))

    made = Situation(job(), row(job(), record)).decide()

    assert show(made) == ANEW
    assert intent_of(made.jobs[0].steps[0]) == Intent(LOCAL - DAY, LOCAL, NOW)


def test_what_a_look_shows_first_is_as_old_as_the_look() -> None:
    record = unanswered(first_look=LOOKED)

    slow = Situation(job(), row(job(), record), replace(look(), took=SECOND)).decide()

    assert (show(slow), slow.jobs[0].next_time) == (RUNNING, LOCAL + SECOND)


def test_an_abandoned_attempt_has_no_intent_and_is_gone() -> None:
    record = unanswered(first_look=LOOKED)

    steps = Situation(job(work="2"), row(job(), record)).decide().jobs[0].steps

    assert steps[0] == RecordAttempt(replace(record, intent=None, gone_time=LOCAL), Note.ABANDONED)
