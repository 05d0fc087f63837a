"""The search itself: mistakes that are put into the decisions or into the engine's model are found and shown in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from batchctl import reconcile
from batchctl.model.attempts import CancelCause
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.observed import Moment
from batchctl.model.steps import Cancel, Collect, Delete, Step
from batchctl.reconcile import Options
from tests.search.choices import Choices, every_way
from tests.search.decisions import JobDecision, Planner
from tests.search.explore import Finding, Search
from tests.search.process import Process
from tests.search.record import Journal
from tests.search.scenes import GEMINI, LENIENT, MINUTE, STACK, STRICT, Scene
from tests.search.values import LONG_AGO, NOW, older, renumbered, token_text
from tests.support.values import replace

DAY = timedelta(days=1)


def find(planner: Planner, depth: int, *events: str, lifecycle: Lifecycle = STRICT) -> Finding | None:
    """Search a very small scene in full."""
    scene = Scene(
        "one job", (("a", GEMINI),), lifecycle, events=frozenset(events), spans=(4 * MINUTE,), ends=("SUCCEEDED",)
    )
    return Search(scene, planner).run(depth, seconds=60)


def believing_torn_lists(desired: Any, recorded: Any, observed: Any, *rest: Any) -> Any:
    whole = {account: replace(look, complete=True, problem="") for account, look in observed.items()}
    return reconcile.plan(desired, recorded, whole, *rest)


def without_grace(desired: Any, *rest: Any) -> Any:
    limits = replace(desired.stack.limits, settle_grace=timedelta())
    return reconcile.plan(replace(desired, stack=replace(desired.stack, limits=limits)), *rest)


def believing_the_first_miss(desired: Any, recorded: Any, *rest: Any) -> Any:
    def missed(attempt: Any) -> Any:
        created = attempt.create_time
        return replace(attempt, missed=Moment(created - DAY, created - DAY)) if created else attempt

    jobs = {
        name: replace(job, attempts=tuple(missed(attempt) for attempt in job.attempts))
        for name, job in recorded.jobs.items()
    }
    return reconcile.plan(desired, replace(recorded, jobs=jobs), *rest)


def taking_foreign_marks(desired: Any, recorded: Any, observed: Any, *rest: Any) -> Any:
    def taken(job: Any) -> Any:
        return replace(job, mark=replace(job.mark, uid=STACK.uid)) if job.mark else job

    looks = {account: replace(look, jobs=tuple(taken(job) for job in look.jobs)) for account, look in observed.items()}
    return reconcile.plan(desired, recorded, looks, *rest)


def without_inventory(desired: Any, recorded: Any, observed: Any, now: Any, options: Options, inventory: Any) -> Any:
    return reconcile.plan(desired, recorded, observed, now, options)


def forgetting_known_work(desired: Any, recorded: Any, observed: Any, now: Any, options: Any, inventory: Any) -> Any:
    return reconcile.plan(desired, recorded, observed, now, options, inventory if recorded.jobs else None)


def forgetting_collections(desired: Any, recorded: Any, observed: Any, now: Any, options: Any, inventory: Any) -> Any:
    jobs = {
        name: replace(job, attempts=tuple(replace(attempt, results=None) for attempt in job.attempts))
        for name, job in recorded.jobs.items()
    }
    return reconcile.plan(desired, replace(recorded, jobs=jobs), observed, now, options)


def buying_beside_a_cancel(desired: Any, recorded: Any, observed: Any, *rest: Any) -> Any:
    """A job that is being cancelled counts as cancelled."""

    def ended(job: Any) -> Any:
        return replace(job, state="JOB_STATE_CANCELLED") if job.state == "JOB_STATE_RUNNING" and job.mark else job

    looks = {account: replace(look, jobs=tuple(ended(job) for job in look.jobs)) for account, look in observed.items()}
    return reconcile.plan(desired, recorded, looks, *rest)


def without_cures(job: JobDecision) -> JobDecision:
    def is_cure(step: Step) -> bool:
        return isinstance(step, Cancel) and step.cause is CancelCause.DUPLICATE

    return job._replace(ops=tuple(op for op in job.ops if not is_cure(op.step)))


def deleting_at_once(job: JobDecision) -> JobDecision:
    deletes = any(isinstance(op.step, Delete) for op in job.ops)
    return job._replace(ops=tuple(op for op in job.ops if not (deletes and isinstance(op.step, Collect))))


def never_done(job: JobDecision) -> JobDecision:
    return job._replace(action="cancel") if job.action == "none" else job


@pytest.mark.parametrize(
    ("planner", "depth", "events", "problem"),
    [
        (Planner(believing_torn_lists), 2, ["torn", "lose"], "was made for it already"),
        (Planner(without_grace), 3, ["old"], "is of the same work"),
        (Planner(believing_the_first_miss), 2, ["old"], "is of the same work"),
        (Planner(taking_foreign_marks), 1, [], "the foreign job foreign/a"),
        (Planner(buying_beside_a_cancel), 1, [], "is collected while it is JOB_STATE_RUNNING"),
        (Planner(without_inventory), 2, [], "is collected twice"),
        (Planner(forgetting_collections), 1, [], "is collected twice"),
        (Planner(change=deleting_at_once), 3, ["remove"], "is deleted before its results are collected"),
        (Planner(change=without_cures), 2, ["copy"], "no rest after"),
        (Planner(change=never_done), 1, [], "no rest after"),
        (Planner(forgetting_known_work), 4, ["remove"], "has results of this very work"),
    ],
)
def test_mistakes_in_the_decisions_are_found(planner: Planner, depth: int, events: list[str], problem: str) -> None:
    found = find(planner, depth, *events, lifecycle=LENIENT)
    assert found is not None
    assert problem in found.problem


@pytest.mark.parametrize(
    ("events", "depth"), [(["torn", "lose"], 2), (["old"], 3), (["remove"], 3), (["copy"], 2), (["sleep"], 2)]
)
def test_the_same_scenes_hold_without_mistakes(events: list[str], depth: int) -> None:
    assert find(Planner(), depth, *events, lifecycle=LENIENT) is None


def test_a_process_that_does_not_check_its_lock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "check", lambda journal: None)
    found = find(Planner(), 5, "sleep")
    assert found is not None
    assert "was made for it already" in found.problem


def test_an_intent_that_is_not_durable_before_its_call_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    intend = Process._intend

    def careless(process: Process, *given: Any) -> Any:
        before = process._working.store
        ops = intend(process, *given)
        process._working.store = before
        return ops

    monkeypatch.setattr(Process, "_intend", careless)
    assert find(Planner(), 2, "old") is not None


def test_the_way_to_a_broken_promise_is_shown_in_words() -> None:
    found = find(Planner(change=deleting_at_once), 3, "remove")
    assert str(found).splitlines() == [
        "in the calm after this, batches/job00000002 is deleted before its results are collected",
        "  1. all jobs run",
        "  2. the manifest of a is removed",
    ]


def test_every_way_is_tried_once_and_faults_are_bounded() -> None:
    def run(choices: Choices) -> tuple[str, ...]:
        return choices.fault("x", "ok", "bad"), choices.pick("y", "1", "2"), choices.fault("z", "ok", "bad", "worse")

    assert [result for _, result in every_way(run, faults=1)] == [
        ("ok", "1", "ok"),
        ("ok", "1", "bad"),
        ("ok", "1", "worse"),
        ("ok", "2", "ok"),
        ("ok", "2", "bad"),
        ("ok", "2", "worse"),
        ("bad", "1", "ok"),
        ("bad", "2", "ok"),
    ]


def test_numbers_have_no_gaps_and_keep_their_order() -> None:
    assert renumbered(("batches/job00000007", (token_text(3), "x"), "batches/job00000003")) == (
        "batches/job00000002",
        (token_text(1), "x"),
        "batches/job00000001",
    )


def test_what_is_long_ago_is_equally_long_ago() -> None:
    assert older((NOW, LONG_AGO), timedelta(days=9)) == (LONG_AGO, LONG_AGO)
    assert older(NOW, timedelta(hours=1)) == NOW - timedelta(hours=1)
