"""A list takes time: what it does not show may have come while it was read, so a look counts from its beginning."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.engine.preview import preview
from batchctl.engine.rebuilding import rebuild_state
from batchctl.model.actions import Action
from batchctl.reconcile import Options
from tests.support.engine import job

GRACE = timedelta(minutes=3)
SHORT = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def unanswered(world):
    """A create call that the API never processed and never answered, and a first look that did not find its job."""
    world.here.faults({"method": "batches.create", "kind": "cut", "when": "before", "count": 1})
    world.one_pass(job("a"))
    world.one_pass(job("a"))
    assert world.here.calls("batches.create") == 1
    return world


def wait_until_just_before_the_grace_ends(world, set_by: timedelta) -> None:
    """On one of the two clocks; on the other one, which somebody has set, it is over. A list takes ten seconds."""
    world.local.skew = set_by
    world.time.advance(GRACE - SHORT - min(set_by, timedelta()))
    world.here.wire.before = lambda what, on: world.time.advance(2 * SHORT) if what == "list" else None


@pytest.mark.parametrize("set_by", [-MINUTE, MINUTE], ids=["on the local clock", "on the API's clock"])
def test_no_grace_is_over_that_runs_out_while_the_list_is_read(unanswered, set_by):
    wait_until_just_before_the_grace_ends(unanswered, set_by)
    unanswered.one_pass(job("a"))
    assert unanswered.here.calls("batches.create") == 1
    unanswered.one_pass(job("a"))
    assert unanswered.here.calls("batches.create") == 2


@pytest.mark.parametrize("set_by", [-MINUTE, MINUTE], ids=["on the local clock", "on the API's clock"])
def test_a_plan_counts_a_look_from_its_beginning_too(unanswered, set_by):
    wait_until_just_before_the_grace_ends(unanswered, set_by)
    with unanswered.process() as tools:
        for expected in (Action.WAIT, Action.CREATE):
            (found,) = preview(unanswered.desired(job("a")), Options(), tools).plan.jobs
            assert found.action is expected


@pytest.mark.parametrize("set_by", [-MINUTE, MINUTE], ids=["on the local clock", "on the API's clock"])
def test_a_rebuilt_state_counts_a_look_from_its_beginning_too(world, set_by):
    world.here.rules({"match": {}, "running": "90h"})
    world.apply(job("a"))
    world.time.advance(MINUTE)
    world.here.faults(
        {"method": "batches.list", "kind": "listLag", "delay": "1h"},
        {"method": "batches.get", "kind": "status", "status": 404},
    )
    world.one_pass(job("a"))
    assert world.attempt("a").missed is not None
    wait_until_just_before_the_grace_ends(world, set_by)
    with world.process() as tools:
        for expected in (False, True):
            (found,) = rebuild_state(world.desired(job("a")), world.recorded(), [], tools).jobs
            assert found.attempts[0].is_gone is expected
