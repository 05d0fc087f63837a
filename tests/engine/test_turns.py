"""A pass begins with what changes remote jobs, and does not collect for long while jobs are active."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby

import pytest

from batchctl.engine.clock import SystemClock
from batchctl.engine.loop.drive import Around, Until, drive
from batchctl.engine.steps.turns import Turns
from batchctl.model.actions import Action
from batchctl.model.attempts import Operation, Trouble
from batchctl.model.outcome import Result
from batchctl.model.reasons import Reason
from batchctl.model.stack import Limits
from batchctl.model.states import Phase
from batchctl.reconcile import Options
from tests.support.engine import job, results
from tests.support.engine_boundaries import START
from tests.support.job_plans import job_plan
from tests.support.values import replace

SHORT = ("a", "b", "c")


@pytest.fixture
def world(make_world):
    """Each collection takes ten seconds, and there is one at a time."""
    world = make_world(limits=Limits(concurrency=1))
    world.here.wire.before = lambda what, on: world.time.sleep(10 if what == "get" else 0)
    return world


@pytest.fixture
def long_job(world):
    world.here.rules({"match": {"displayName": "*/long@*"}, "running": "1h"})
    return job("long")


def calls(world):
    return [entry.what for entry in world.log if entry.what in {"create", "list", "get"} and not entry.ended]


def test_while_a_job_is_active_the_lists_are_read_between_collections(world, long_job):
    report = world.watch(*map(job, SHORT), long_job)
    assert results(report) == dict.fromkeys((*SHORT, "long"), "done")
    turns = [what for what, _ in groupby(calls(world))]
    assert turns[:8] == ["list", "create", "list", "get", "list", "get", "list", "get"]
    # The pass after one that was cut short follows at once.
    assert world.clock.sleeps.count(0.0) == 2


def test_when_no_job_is_active_all_are_collected_in_one_pass(world):
    world.watch(*map(job, SHORT))
    assert calls(world)[-4:] == ["list", "get", "get", "get"]
    assert 0.0 not in world.clock.sleeps


@pytest.mark.parametrize(
    "until",
    [
        Until(ended=False),
        Until(ended=True, once=True),
        Until(ended=True, phases={"a": Phase.SUCCEEDED}),
    ],
    ids=["apply", "watch --once", "wait for a phase"],
)
def test_a_run_without_a_further_pass_collects_all(world, long_job, until):
    jobs = (*map(job, SHORT), long_job)
    world.apply(*jobs)
    world.time.advance(timedelta(seconds=10))
    with world.process() as tools:
        report = drive(Around(lambda: world.desired(*jobs)), Options(), until, tools)
    assert all(world.attempt(name).results is not None for name in SHORT)
    assert {report.outcomes[name].result for name in SHORT} == {Result.DONE}


def nearly_ended(world, **last):
    """Eleven jobs that have ended after 70 seconds, and one of 69.2 seconds, which takes as long if nothing is said."""
    world.here.rules({"match": {"displayName": "*/last@*"}, **last}, {"pending": "10s", "running": "1m"})
    jobs = [job(f"job-{number:02}") for number in range(11)]
    world.apply(*jobs)
    world.time.advance(timedelta(seconds=0.8))
    world.apply(*jobs, job("last"))
    world.time.advance(timedelta(seconds=69.2))
    world.log.clear()
    return [*jobs, job("last")]


def test_when_the_last_job_ends_in_a_moment_nothing_is_collected_before(world):
    report = world.watch(*nearly_ended(world, pending="10s", running="1m"))
    assert calls(world) == ["list", "list", *["get"] * 12]
    assert world.clock.sleeps == [1.0]
    assert set(results(report).values()) == {"done"}


def test_a_run_that_makes_one_pass_collects_all_the_same(world):
    jobs = nearly_ended(world, pending="10s", running="1m")
    with world.process() as tools:
        drive(Around(lambda: world.desired(*jobs)), Options(), Until(ended=True, once=True), tools)
    assert calls(world) == ["list", *["get"] * 11]


def test_a_job_that_takes_longer_than_others_is_waited_for_once(world):
    report = world.watch(*nearly_ended(world, pending="10s", running="1h"))
    assert calls(world)[:4] == ["list", "list", "get", "list"]
    assert set(results(report).values()) == {"done"}


def test_the_pause_counts_from_the_beginning_of_a_look_but_from_the_end_of_a_step(world):
    world.here.rules({"pending": "1h", "running": "1m"})
    world.here.wire.before = lambda what, on: world.time.sleep({"list": 0.6, "create": 3}.get(what, 0))
    world.watch(job("a"), timeout=timedelta(seconds=10))
    # After the create, and after two quick checks.
    assert world.clock.sleeps[:3] == pytest.approx([1.0, 0.4, 0.4])


def test_a_job_is_created_before_others_are_collected(world):
    world.apply(*map(job, SHORT))
    world.time.advance(timedelta(seconds=10))
    world.log.clear()
    world.apply(*map(job, SHORT), job("late"))
    assert calls(world) == ["list", "create", "get", "get", "get"]


def test_collections_that_have_failed_before_come_last(world):
    world.apply(job("a"))
    attempt = world.attempt("a")
    failed = replace(attempt, trouble=Trouble(Operation.COLLECT, "NetworkError", "no reply", "", START, START, 1))
    plans = [
        job_plan("failed", Action.COLLECT, Phase.SUCCEEDED, Reason.NOT_COLLECTED, "", attempt=failed),
        job_plan("ended", Action.COLLECT, Phase.SUCCEEDED, Reason.NOT_COLLECTED, "", attempt=attempt),
        job_plan("removed", Action.DELETE, Phase.REMOVING, Reason.NOT_COLLECTED, ""),
    ]
    turns = Turns(plans, SystemClock(), None)
    assert [turns.next().job for _ in plans] == ["removed", "ended", "failed"]
    assert (turns.next(), turns.left) == (None, ())
