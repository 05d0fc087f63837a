"""When decisions fall due on a monotonic clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Timer
from batchctl.model.desired import DesiredStack
from batchctl.model.observed import Observed, RowCounts
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.states import Phase
from batchctl.reconcile import Timing, seconds_left, time_plan
from tests.support.decisions import HERE, LOCAL, NOW, STACK, attempt, job, look, row
from tests.support.job_plans import job_plan
from tests.support.past_jobs import history
from tests.support.values import replace

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


TEN = [(MINUTE, 4 * MINUTE)] * 10
"""Ten attempts of five minutes each."""


def aged(name: str, age: timedelta, **fields) -> RecordedAttempt:
    return attempt(name=name, create_time=NOW - age, start_time=None, rows=RowCounts(10), **fields)


def left(*attempts: RecordedAttempt, times=TEN, observed: Observed = OBSERVED) -> float | None:
    """The seconds that are left of jobs with these attempts, beside one that is not created yet."""
    jobs: Mapping[str, RecordedJob] = {one.key.job: row(job(one.key.job), one) for one in attempts}
    planned = [plan(one.key.job, attempt=one).jobs[0] for one in attempts] + list(plan("new").jobs)
    recorded = Recorded({**jobs, "past": history(times)})
    return seconds_left(Plan("shop", tuple(planned)), recorded, observed)


def test_jobs_like_earlier_ones_end_when_the_last_of_them_does() -> None:
    ended = aged("c", 2 * MINUTE, state="SUCCEEDED")
    assert left(aged("a", 3 * MINUTE), aged("b", MINUTE), ended) == 240.0


def test_a_job_counts_as_active_when_the_list_began() -> None:
    slow = {HERE: replace(look(), took=timedelta(seconds=30))}
    late = aged("a", 5 * MINUTE + timedelta(seconds=10))
    assert (left(late, observed=slow), left(late)) == (-10.0, None)


@pytest.mark.parametrize(
    ("made", "given"),
    [
        pytest.param(aged("a", MINUTE), {"times": TEN[:9]}, id="too few have ended for nine of ten"),
        pytest.param(aged("a", MINUTE), {"times": TEN[:4]}, id="too few have ended"),
        pytest.param(aged("a", 6 * MINUTE), {}, id="it takes longer than all others"),
        pytest.param(aged("a", MINUTE), {"observed": {}}, id="its account was not read"),
        pytest.param(replace(aged("a", MINUTE), create_time=None), {}, id="its age is not known"),
    ],
)
def test_an_end_that_is_not_known_is_not_guessed(made: RecordedAttempt, given: Mapping) -> None:
    assert left(aged("b", MINUTE), made, **given) is None


def test_of_no_active_job_there_is_no_end() -> None:
    assert left(aged("a", MINUTE, state="SUCCEEDED")) is None
