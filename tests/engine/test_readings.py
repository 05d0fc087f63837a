"""Answers from a while ago: nothing that is known is undone by them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.lifecycle import OnMissing
from batchctl.reconcile import Options
from tests.support.engine import job, live, made, phases, results

GONE = Options(allow_empty=True)
BACK = {"method": "batches.*", "kind": "timeTravel"}


@pytest.fixture
def removed(world):
    """A world whose only job was collected, deleted and forgotten."""
    world.watch(job("a"))
    world.time.sleep(60)
    world.one_pass(options=GONE)
    assert world.recorded().jobs == {}
    world.here.faults({**BACK, "delay": "30s"})
    return world


def test_a_deleted_job_that_is_listed_for_a_while_is_not_adopted(removed):
    report = removed.one_pass(job("a", run_id="2"))
    assert results(report) == {"a": "done"}
    assert made(removed.here)["a@1.0"] == 2
    assert removed.attempt("a").adopted is False


def test_a_deleted_job_that_is_listed_for_a_while_is_no_orphan(removed):
    report = removed.one_pass(options=Options(allow_empty=True, prune_orphans=True))
    assert (report.plan.drift, report.plan.jobs) == ((), ())
    assert removed.here.calls("batches.delete") == 1


def test_a_state_that_is_left_behind_brings_no_deadline(world):
    world.here.rules({"match": {}, "pending": "5m", "running": "9h"})
    wanted = job("a", pending_deadline=timedelta(minutes=10))
    world.apply(wanted)
    world.time.sleep(360)
    world.one_pass(wanted)
    assert world.attempt("a").state == "JOB_STATE_RUNNING"
    world.here.faults({**BACK, "delay": "5m"})
    world.time.sleep(240)
    world.one_pass(wanted)
    assert world.attempt("a").state == "JOB_STATE_RUNNING"
    world.time.sleep(240)
    world.one_pass(wanted)
    assert world.here.calls("batches.cancel") == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_watch_comes_to_its_end_among_old_answers(world, seed):
    world.here.rules({"match": {}, "running": "10m"})
    wanted = [job(name, on_missing=OnMissing.RECREATE, ttl_after_finished=timedelta(minutes=5)) for name in "abc"]
    world.apply(*wanted)
    world.here.faults({**BACK, "delay": "2m", "probability": 0.5, "seed": seed})
    report = world.watch(*wanted)
    assert set(phases(report).values()) == {"Succeeded"}
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1, "c@1.0": 1}
    for _ in range(5):
        world.time.sleep(90)
        world.apply(*wanted)
    assert live(world.here) == {}
    assert world.here.calls("batches.create") == 3
    assert world.here.calls("batches.delete") == 3
