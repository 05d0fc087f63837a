"""Which jobs another pass may bring forward, for a command of one pass and for one that waits for the end."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind, QueuePlace
from batchctl.model.decision import Guard, Timer
from batchctl.model.errors import BatchctlError, PermissionDenied, ReplyLost, ResultsError
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile import PassEnd, Patience, find_pending, find_unsettled
from tests.support.decisions import HERE, NOW, THERE, attempt
from tests.support.job_plans import job_plan

FORBIDDEN = PermissionDenied("no", http=403)
REFUSED = Guard("TooManyCreates", "too many", "--max-create")
PLACE = QueuePlace(1, 1, LimitKind.ACTIVE, 100, 100)
FAILED = Outcome("a", Result.FAILED, error=ResultsError("disk full"))


def plan(name: str, action: str, phase: Phase, **fields: Any) -> JobPlan:
    return job_plan(name, Action(action), phase, Reason.ACTIVE, "", **fields)


def waits(phase: Phase, **fields: Any) -> JobPlan:
    return plan("a", "wait", phase, **fields)


def end(*jobs: JobPlan, errors: dict[Any, BatchctlError] | None = None, **fields: Any) -> PassEnd:
    return PassEnd(jobs, errors=errors or {}, **fields)


def names(jobs: tuple[JobPlan, ...]) -> str:
    return " ".join(job.job for job in jobs)


HERE_IS_CLOSED = {"errors": {HERE: FORBIDDEN}}
THERE_IS_CLOSED = {"errors": {THERE: FORBIDDEN}}
HERE_IS_DOWN = {"errors": {HERE: ReplyLost("cut")}}
A_FAILED = {"outcomes": {"a": FAILED}}


@pytest.mark.parametrize(
    ("job", "around", "pending"),
    [
        pytest.param(plan("a", "none", Phase.SUCCEEDED), {}, False, id="nothing to do"),
        pytest.param(plan("a", "none", Phase.SUCCEEDED), A_FAILED, False, id="nothing to do, and that failed"),
        pytest.param(plan("a", "create", Phase.WAITING), {}, True, id="a change"),
        pytest.param(plan("a", "create", Phase.WAITING), A_FAILED, True, id="a change that failed"),
        pytest.param(
            plan("a", "create", Phase.WAITING),
            {**A_FAILED, "patience": Patience({"a": 3})},
            False,
            id="a change that failed too often",
        ),
        pytest.param(plan("a", "replace", Phase.ACTIVE, guard=REFUSED), {}, False, id="refused"),
        pytest.param(plan("a", "adopt", Phase.ACTIVE, guard=REFUSED), {}, True, id="adopted, what follows is refused"),
        pytest.param(
            plan("a", "replace", Phase.ACTIVE, guard=REFUSED, unfinished=True, attempt=attempt()),
            {},
            True,
            id="refused, and the old work goes on",
        ),
        pytest.param(
            plan("a", "replace", Phase.ACTIVE, guard=REFUSED, unfinished=True, attempt=attempt()),
            HERE_IS_CLOSED,
            False,
            id="refused, and the old work cannot be seen",
        ),
        pytest.param(waits(Phase.ACTIVE, attempt=attempt()), {}, True, id="active"),
        pytest.param(waits(Phase.ACTIVE, attempt=attempt()), HERE_IS_CLOSED, False, id="active on a closed account"),
        pytest.param(waits(Phase.ACTIVE, attempt=attempt()), THERE_IS_CLOSED, True, id="active on another account"),
        pytest.param(
            waits(Phase.ACTIVE, attempt=attempt()), HERE_IS_DOWN, True, id="active on an account that is down"
        ),
        pytest.param(waits(Phase.WAITING), {}, False, id="held back by a person"),
        pytest.param(waits(Phase.BLOCKED), {}, False, id="blocked"),
        pytest.param(waits(Phase.WAITING, unseen=True), {}, True, id="held back until its account is read"),
        pytest.param(waits(Phase.WAITING, next_time=NOW), {}, True, id="held back for a while"),
        pytest.param(waits(Phase.WAITING, queue=PLACE), {}, True, id="in the queue"),
        pytest.param(waits(Phase.WAITING, next_time=NOW), HERE_IS_CLOSED, True, id="not created, any account closed"),
        pytest.param(waits(Phase.UNKNOWN), HERE_IS_CLOSED, False, id="not known, any account closed"),
        pytest.param(waits(Phase.UNKNOWN), HERE_IS_DOWN, True, id="not known, any account down"),
    ],
)
def test_a_run_to_the_end_waits_for(job: JobPlan, around: dict[str, Any], pending: bool) -> None:
    assert bool(find_pending(end(job, **around))) is pending


ACTIVE = waits(Phase.ACTIVE, attempt=attempt())
FOLLOWER = plan("b", "wait", Phase.WAITING, waits_for=("a",))


@pytest.mark.parametrize(
    ("jobs", "pending"),
    [
        pytest.param((ACTIVE, FOLLOWER), "a b", id="one that goes on takes its follower along"),
        pytest.param((plan("a", "none", Phase.SUCCEEDED), FOLLOWER), "", id="nothing goes on"),
        pytest.param((plan("b", "wait", Phase.WAITING, waits_for=("z",)),), "b", id="the other is out of scope"),
        pytest.param(
            (FOLLOWER, plan("c", "wait", Phase.WAITING, waits_for=("z",)), plan("a", "none", Phase.SUCCEEDED)),
            "b c",
            id="one of two others is out of scope: what it brings may bring more",
        ),
        pytest.param((ACTIVE, plan("b", "wait", Phase.BLOCKED, waits_for=("a",), blocked=True)), "a", id="blocked"),
        pytest.param((ACTIVE, plan("b", "wait", Phase.WAITING, waits_for=("a",), guard=REFUSED)), "a", id="refused"),
    ],
)
def test_a_run_to_the_end_waits_for_followers(jobs: tuple[JobPlan, ...], pending: str) -> None:
    assert names(find_pending(end(*jobs))) == pending


LEAVES = plan("b", "delete", Phase.REMOVING, waits_for=("a",), unfinished=True)
DONE = Outcome("a", Result.DONE)


@pytest.mark.parametrize(
    ("jobs", "around", "unsettled"),
    [
        pytest.param((ACTIVE,), {}, "", id="an active job is not waited for"),
        pytest.param((waits(Phase.SETTLING, attempt=attempt()),), {}, "a", id="an open create call is"),
        pytest.param(
            (waits(Phase.SETTLING, attempt=attempt()),), HERE_IS_CLOSED, "", id="on a closed account it is not"
        ),
        pytest.param((waits(Phase.ACTIVE, timer=Timer.MISSING),), {}, "a", id="a missing remote job is"),
        pytest.param((plan("a", "create", Phase.WAITING),), A_FAILED, "", id="failed before its create call"),
        pytest.param(
            (plan("a", "create", Phase.WAITING),),
            {**A_FAILED, "unanswered": {"a"}},
            "a",
            id="failed in its create call",
        ),
        pytest.param((LEAVES,), {"outcomes": {"a": DONE}}, "b", id="a removal after the one that it waited for"),
        pytest.param(
            (plan("b", "delete", Phase.REMOVING, waits_for=("a", "c"), unfinished=True),),
            {"outcomes": {"a": FAILED, "c": Outcome("c", Result.DONE)}},
            "",
            id="a removal after one of the two that it waits for",
        ),
        pytest.param((LEAVES,), {"outcomes": {"a": FAILED}}, "", id="a removal whose dependant is not gone"),
        pytest.param((LEAVES,), {}, "", id="a removal whose dependant was not in this pass"),
        pytest.param((FOLLOWER,), {"outcomes": {"a": DONE}}, "", id="a create after another is for the next command"),
    ],
)
def test_a_command_of_one_pass_waits_for(jobs: tuple[JobPlan, ...], around: dict[str, Any], unsettled: str) -> None:
    assert names(find_unsettled(end(*jobs, **around))) == unsettled
