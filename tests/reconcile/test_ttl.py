"""`ttlAfterFinished` for the remote jobs of all attempts: the current one's tables are with the other endings."""

from __future__ import annotations

import pytest

from batchctl.model.attempts import CancelCause
from batchctl.model.decision import Timer
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
    job,
    look,
    row,
    seen,
    several,
    show,
    unanswered,
)
from tests.support.values import replace

OLD = attempt(1, "CANCELLED", results="a/1", end_time=NOW - HOUR, cancel_cause=CancelCause.DEADLINE)
LONG_DONE = collected(2, end_time=NOW - HOUR)
JUST_DONE = collected(2, end_time=NOW - MINUTE)
TTL = {"ttl_after_finished": HOUR}


@pytest.mark.parametrize(
    ("situation", "expected", "reason"),
    [
        pytest.param(
            several(OLD, LONG_DONE, **TTL),
            "delete Succeeded | delete a@1.0 | delete a@2.0",
            "succeeded; ttlAfterFinished is over for attempt 1, 2",
            id="over for both",
        ),
        pytest.param(
            several(OLD, JUST_DONE, **TTL),
            "delete Succeeded | delete a@1.0",
            "succeeded; ttlAfterFinished is over for attempt 1",
            id="over for the earlier one",
        ),
        pytest.param(
            several(OLD, attempt(2), **TTL),
            "delete Active | delete a@1.0",
            "running; ttlAfterFinished is over for attempt 1",
            id="over for the earlier one, the current one works",
        ),
        pytest.param(
            several(replace(OLD, results=None), attempt(2), **TTL),
            "delete Active | collect a@1.0 | delete a@1.0",
            "running; the results of attempt 1 are not collected yet; ttlAfterFinished is over for attempt 1",
            id="not collected: that first",
        ),
        pytest.param(
            replace(several(replace(OLD, results=None), attempt(2), **TTL), options=Options(discard_results=True)),
            "delete Active | delete a@1.0",
            "running; ttlAfterFinished is over for attempt 1",
            id="not collected, --discard-results",
        ),
        pytest.param(
            several(OLD, attempt(2, "SUCCEEDED", end_time=NOW - SECOND), **TTL),
            "delete Succeeded | collect a@2.0 | delete a@1.0",
            "succeeded; results not collected yet; ttlAfterFinished is over for attempt 1",
            id="the current one is collected beside it",
        ),
        pytest.param(
            several(OLD, attempt(2, "FAILED", results="a/2", end_time=NOW - SECOND), **TTL, backoff_limit=9),
            "delete Waiting | delete a@1.0",
            "failed; retry 2 of 9 after back-off; ttlAfterFinished is over for attempt 1",
            id="the current one waits for its retry",
        ),
        pytest.param(
            several(OLD, attempt(2, "FAILED", results="a/2", end_time=NOW - SECOND), ttl_after_finished=SECOND),
            "delete Failed | delete a@1.0 | delete a@2.0",
            "failed; backoffLimit is 0; ttlAfterFinished is over for attempt 1, 2",
            id="all have failed",
        ),
        pytest.param(
            several(OLD, attempt(2, "FAILED", end_time=NOW - HOUR), **TTL, backoff_limit=9),
            "retry Waiting | collect a@2.0 | record job a@3 | create a@3.0",
            "failed; retry 2 of 9",
            id="a new attempt comes first",
        ),
        pytest.param(several(OLD, JUST_DONE), "none Succeeded", "succeeded", id="no ttl"),
        pytest.param(
            several(replace(OLD, end_time=None), JUST_DONE, **TTL),
            "none Succeeded",
            "succeeded",
            id="nobody knows when it ended",
        ),
        pytest.param(
            Situation(
                job(**TTL), row(job(**TTL), replace(OLD, gone_time=LOCAL), LONG_DONE), look(seen(LONG_DONE), gone=[])
            ),
            "delete Succeeded | delete a@2.0",
            "succeeded; ttlAfterFinished is over",
            id="the earlier one is gone",
        ),
        pytest.param(
            Situation(job(**TTL), row(job(**TTL), OLD, attempt(2)), look(seen(OLD), seen(attempt(2)), complete=False)),
            "wait Active",
            "running; ttlAfterFinished is over for attempt 1; not done before the list is complete: page 2 failed",
            id="a page failed: left for a complete look",
        ),
        pytest.param(
            Situation(job(**TTL), row(job(**TTL), OLD, unanswered(2)), look(seen(OLD))),
            "delete Settling | record a@2.0 not found | delete a@1.0",
            "it is not known whether the create call was sent; looking for its mark; ttlAfterFinished is over for attempt 1",
            id="the current one settles",
        ),
    ],
)
def test_all_attempts_end(situation: Situation, expected: str, reason: str) -> None:
    made = situation.decide()

    assert show(made) == expected
    assert made.jobs[0].reason == reason


def test_the_next_end_is_shown() -> None:
    earlier = replace(OLD, end_time=NOW - 30 * MINUTE)
    made = several(earlier, JUST_DONE, **TTL).decide().jobs[0]
    assert (made.next_time, made.timer) == (NOW + 30 * MINUTE, Timer.TTL)


def test_what_works_shows_its_own_time() -> None:
    made = several(replace(OLD, end_time=NOW), attempt(2), **TTL, active_deadline=2 * HOUR).decide().jobs[0]
    assert (made.next_time, made.timer) == (NOW + HOUR, Timer.DEADLINE)
