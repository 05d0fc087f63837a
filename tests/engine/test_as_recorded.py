"""The plan of the record alone: the phases of the last pass, without a call."""

from __future__ import annotations

from datetime import timedelta

from batchctl.engine.as_recorded import plan_as_recorded
from batchctl.reconcile import Options
from tests.support.engine import job

LAGGING = (
    {"method": "batches.list", "kind": "listLag", "delay": "1h"},
    {"method": "batches.get", "kind": "status", "status": 404},
)
"""A replica that knows nothing of the last hour answers."""
FATES = (
    {"match": {"displayName": "*/stuck@*"}, "fate": "stuck"},
    {"match": {"displayName": "*/bad@*"}, "fate": "fail"},
)


def shown(world, *jobs):
    plan = plan_as_recorded(world.desired(*jobs), world.recorded(), world.time.now(), Options())
    return {one.job: one.phase.value for one in plan.jobs}, {one.job: one.action.value for one in plan.jobs}, plan


def test_phases_are_those_of_the_last_pass_and_nothing_is_called(world):
    jobs = [job("good"), job("bad"), job("stuck")]
    world.here.rules(*FATES)
    report = world.watch(*jobs, timeout=timedelta(minutes=5))
    before = world.here.calls("batches.list")
    phases, actions, plan = shown(world, *jobs, job("new"))
    assert phases == {one.job: one.phase.value for one in report.next_plan.jobs} | {"new": "Waiting"}
    assert actions == {"good": "none", "bad": "none", "stuck": "wait", "new": "create"}
    assert (plan.drift, plan.problems, plan.guards) == ((), {}, ())
    assert world.here.calls("batches.list") == before


def test_an_empty_state_shows_what_is_desired(world):
    assert shown(world, job("a"))[:2] == ({"a": "Waiting"}, {"a": "create"})


def test_a_job_without_a_manifest_is_shown_with_its_removal(world):
    world.apply(job("a"), job("b"))
    assert shown(world, job("a"))[1] == {"a": "wait", "b": "delete"}


def test_a_remote_job_that_the_last_look_missed_is_settling(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"))
    world.here.faults(*LAGGING)
    world.one_pass(job("a"))
    assert world.attempt("a").missed is not None
    assert shown(world, job("a"))[0] == {"a": "Settling"}
