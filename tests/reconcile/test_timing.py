"""When decisions fall due on a monotonic clock."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.decision import Timer
from batchctl.model.desired import DesiredStack
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile import Timing, time_plan
from tests.support.decisions import HERE, LOCAL, NOW, STACK, attempt, job, look
from tests.support.job_plans import job_plan

MINUTE = timedelta(minutes=1)
DESIRED = DesiredStack(STACK, (job(),))
OBSERVED = {HERE: look()}
"""The account's clock shows NOW while the local one shows LOCAL."""


def plan(name: str = "a", **fields) -> Plan:
    return Plan("shop", (job_plan(name, Action.WAIT, Phase.WAITING, Reason.ACTIVE, "", **fields),))


@pytest.mark.parametrize(
    ("timer", "time", "seconds"),
    [
        pytest.param(Timer.BACKOFF, NOW + MINUTE, 160.0, id="by the account's clock"),
        pytest.param(Timer.SETTLING, LOCAL + MINUTE, 160.0, id="by the local clock"),
        pytest.param(Timer.MISSING, LOCAL - MINUTE, 40.0, id="overdue"),
    ],
)
@pytest.mark.parametrize("made", [None, attempt(state="FAILED")])
def test_a_decision_is_due(timer: Timer, time: datetime, seconds: float, made) -> None:
    timing = time_plan(plan(next_time=time, timer=timer, attempt=made), DESIRED, OBSERVED, LOCAL, 100.0)
    assert timing.due == {"a": seconds}


def test_of_an_account_that_was_not_read_the_local_clock_counts() -> None:
    timing = time_plan(plan("gone", next_time=LOCAL + MINUTE, timer=Timer.BACKOFF), DESIRED, {}, LOCAL, 100.0)
    assert timing.due == {"gone": 160.0}


def test_the_age_of_an_active_job_is_by_the_clock_of_its_account() -> None:
    made = attempt(create_time=NOW - MINUTE)
    assert time_plan(plan(attempt=made), DESIRED, OBSERVED, LOCAL, 100.0).youngest(110.0) == 70.0


@pytest.mark.parametrize("made", [None, attempt(state="FAILED", create_time=NOW), attempt(create_time=None)])
def test_a_job_that_is_not_active_has_no_age(made) -> None:
    timing = time_plan(plan(attempt=made), DESIRED, OBSERVED, LOCAL, 100.0)
    assert (timing, timing.youngest(100.0)) == (Timing(), None)


def test_the_first_decision_of_the_given_jobs_counts() -> None:
    timing = Timing(due={"a": 50.0, "b": 20.0})
    first, second = plan("a").jobs[0], plan("b").jobs[0]
    assert (timing.due_in((first, second), 30.0), timing.due_in((first,), 30.0), timing.due_in((), 30.0)) == (
        -10.0,
        20.0,
        None,
    )
