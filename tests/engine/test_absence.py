"""A job that one look misses runs on: nothing is forgotten, bought or told before a second look confirms that it is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.lifecycle import OnMissing
from batchctl.model.notices import CommandHook
from batchctl.model.stack import Limits
from batchctl.reconcile import Options
from tests.support.engine import job, live, made, phases

GRACE = Limits().settle_grace
LAGGING = (
    {"method": "batches.list", "kind": "listLag", "delay": "1h"},
    {"method": "batches.get", "kind": "status", "status": 404},
)
"""A replica that knows nothing of the last hour answers."""
GONE = Options(allow_empty=True)
AGAIN = OnMissing.RECREATE
HOOK = CommandHook("ci", ("true",))


def told(world) -> list[str]:
    return [event["type"] for _, event in world.receiver.got]


@pytest.fixture
def running(world):
    """A world with one job that runs for hours, seen by nobody for a while."""
    world.here.rules({"match": {}, "running": "9h"})
    world.apply(job("a", on_missing=AGAIN))
    world.here.faults(*LAGGING)
    return world


def test_a_removed_manifest_does_not_forget_a_job_that_runs_on(running):
    for _ in range(3):
        running.one_pass(options=GONE)
        assert running.attempt("a").remote
    running.here.faults()
    running.watch(options=GONE)
    assert "a" not in running.recorded().jobs
    assert live(running.here) == {}


def test_an_edited_manifest_makes_no_second_live_job(running):
    for _ in range(3):
        running.one_pass(job("a", run_id="2"))
    assert made(running.here) == {"a@1.0": 1}
    running.here.faults()
    running.watch(job("a", run_id="2"), timeout=timedelta(minutes=5))
    assert sorted(live(running.here)) == ["a@2.0"]


def test_a_job_to_be_made_again_is_not_while_it_runs(running):
    for _ in range(3):
        report = running.one_pass(job("a", on_missing=AGAIN))
        assert [(str(one.phase), str(one.action)) for one in report.plan.jobs] == [("Settling", "wait")]
    running.here.faults()
    running.one_pass(job("a", on_missing=AGAIN))
    assert made(running.here) == {"a@1.0": 1}
    assert running.attempt("a").missed is None


def test_apply_waits_for_the_second_look_and_no_longer(world):
    world.here.rules({"match": {}, "running": "9h"})
    wanted = job("a", on_missing=AGAIN)
    world.apply(wanted)
    world.here.api("DELETE", world.attempt("a").remote)
    report = world.apply(wanted)
    assert phases(report) == {"a": "Waiting"}
    assert made(world.here) == {"a@1.0": 1, "a@2.0": 1}
    waited = sum(world.clock.sleeps)
    assert GRACE.total_seconds() <= waited < GRACE.total_seconds() + 61
    assert world.events("a") == ["create", "created", "not found", "gone", "create", "created"]


def test_nothing_is_told_before_the_second_look(world):
    world.here.rules({"match": {}, "running": "9h"})
    world.apply(job("a"), notify=(HOOK,))
    world.here.api("DELETE", world.attempt("a").remote)
    world.one_pass(job("a"), notify=(HOOK,))
    assert told(world) == []
    assert phases(world.apply(job("a"), notify=(HOOK,))) == {"a": "Failed"}
    assert told(world) == ["job.failed"]


def test_recreation_under_lists_that_lag_for_ever_is_bounded(running):
    wanted = job("a", on_missing=AGAIN)
    for _ in range(60):
        running.one_pass(wanted)
        running.time.sleep(120)
    assert sum(made(running.here).values()) == 4
    assert len(live(running.here)) == 1


def test_our_own_delete_needs_no_second_look(world):
    world.watch(job("a"))
    world.one_pass(options=GONE)
    assert "a" not in world.recorded().jobs
    assert world.here.calls("batches.get") <= 2
