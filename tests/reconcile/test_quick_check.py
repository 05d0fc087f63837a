"""When a look without a plan is enough: where nothing is to be decided. Gets or lists: whichever are fewer calls."""

from __future__ import annotations

import pytest

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, QueuePlace
from batchctl.model.keys import AttemptKey
from batchctl.model.notices import Notice, NoticeType
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded
from batchctl.model.states import Phase
from batchctl.reconcile import choose_check
from tests.support.decisions import HERE, NOW, THERE, attempt, collected, job, row, unanswered
from tests.support.job_plans import job_plan
from tests.support.values import replace

NOTICE = Notice("id", "hook", "a", 1, NoticeType.FAILED, NOW, "{}")


def waits(count: int, **more) -> tuple[JobPlan, ...]:
    return tuple(
        job_plan(f"a{number}", Action.WAIT, Phase.ACTIVE, Reason.ACTIVE, "", attempt=attempt(name=f"a{number}"), **more)
        for number in range(count)
    )


DONE = job_plan("done", Action.NONE, Phase.SUCCEEDED, Reason.ACTIVE, "", attempt=collected(name="done"))
HELD = job_plan("held", Action.WAIT, Phase.WAITING, Reason.ACTIVE, "", waits_for=("a0",))


def recorded_of(jobs: tuple[JobPlan, ...]) -> Recorded:
    """The state with the attempts of these plans."""
    return Recorded({plan.job: row(job(plan.job), plan.attempt) for plan in jobs if plan.attempt is not None})


def asked(jobs: tuple[JobPlan, ...], calls: dict, recorded: Recorded | None = None, **plan) -> list[str] | str | None:
    chosen = choose_check(Plan("shop", jobs, **plan), recorded or recorded_of(jobs), calls)
    if chosen is None:
        return None
    return "lists" if chosen.lists else [one.remote or "" for one in chosen.gets]


@pytest.mark.parametrize(
    ("active", "calls", "expected"),
    [
        pytest.param(0, {HERE: 1}, 0, id="nothing works: no call at all"),
        pytest.param(1, {HERE: 1}, "lists", id="one job, one page: the list shows more"),
        pytest.param(1, {HERE: 2}, 1, id="one job, two pages"),
        pytest.param(2, {HERE: 2}, "lists", id="two jobs, two pages"),
        pytest.param(2, {HERE: 3}, 2, id="two jobs, three pages"),
        pytest.param(20, {HERE: 20}, "lists", id="twenty jobs, twenty pages"),
        pytest.param(20, {HERE: 21}, 20, id="twenty jobs, twenty-one pages"),
        pytest.param(1, {HERE: 1, THERE: 1}, 1, id="one job, a page of each of two accounts"),
        pytest.param(0, {}, "lists", id="no account: there is nothing to save"),
    ],
)
def test_whichever_is_fewer_calls(active: int, calls: dict, expected: int | str) -> None:
    found = asked((*waits(active), DONE, HELD), calls)
    assert (found if found == "lists" else len(found or ())) == expected


MANY = {HERE: 1000}


def test_only_what_may_change_is_asked_for() -> None:
    gone = replace(waits(1)[0], job="gone", attempt=attempt(name="gone", gone_time=NOW))
    unsent = replace(waits(1)[0], job="unsent", attempt=attempt(1, None, name="unsent", remote=None))
    assert asked((*waits(2), DONE, HELD, gone, unsent), MANY) == ["batches/a0-1", "batches/a1-1"]


def test_all_shards_are_asked_for() -> None:
    (plan,) = waits(1)
    shards = [
        attempt(name="a0", remote="batches/a0-1"),
        replace(attempt(name="a0", remote="batches/a0-1-1"), key=AttemptKey("a0", 1, 1)),
    ]
    recorded = Recorded({"a0": row(job("a0"), *shards)})
    assert asked((plan,), MANY, recorded) == ["batches/a0-1", "batches/a0-1-1"]


@pytest.mark.parametrize(
    "job_plan",
    [
        *(
            pytest.param(job_plan("x", action, Phase.ACTIVE, Reason.ACTIVE, ""), id=f"to {action}")
            for action in sorted(set(Action) - {Action.WAIT, Action.NONE})
        ),
        pytest.param(job_plan("x", Action.WAIT, Phase.SETTLING, Reason.ACTIVE, ""), id="a create call is settled"),
        pytest.param(job_plan("x", Action.WAIT, Phase.UNKNOWN, Reason.ACTIVE, ""), id="it was not seen"),
        pytest.param(
            job_plan("x", Action.WAIT, Phase.REMOVING, Reason.ACTIVE, "", unfinished=True), id="a removal goes on"
        ),
        pytest.param(
            job_plan(
                "x", Action.WAIT, Phase.WAITING, Reason.ACTIVE, "", queue=QueuePlace(1, 1, LimitKind.ACTIVE, 1, 1)
            ),
            id="it waits in the queue",
        ),
    ],
)
def test_what_may_lead_to_a_decision_asks_for_a_pass(job_plan: JobPlan) -> None:
    assert asked((*waits(1), job_plan), MANY) is None
    assert asked(waits(1), MANY) is not None


@pytest.mark.parametrize(
    "recorded",
    [
        pytest.param(Recorded({"a": row(job(), unanswered())}), id="an open intent, in scope or not"),
        pytest.param(Recorded(outbox=(NOTICE,)), id="a notice is to be delivered"),
    ],
)
def test_what_the_state_has_open_asks_for_a_pass(recorded: Recorded) -> None:
    assert asked(waits(1), MANY, recorded) is None


def test_what_the_state_has_closed_does_not() -> None:
    closed = replace(recorded_of(waits(1)), outbox=(replace(NOTICE, delivered_time=NOW),))
    assert asked(waits(1), MANY, closed) == ["batches/a0-1"]


def test_an_account_that_could_not_be_read_asks_for_a_pass() -> None:
    assert asked(waits(1), MANY, problems={HERE: "503"}) is None
