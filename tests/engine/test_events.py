"""The history: each decision that is carried out is recorded with the code of its reason."""

from __future__ import annotations

from batchctl.model.reasons import Reason
from tests.support.engine import job


def reasons(world, name):
    return [(event.what, event.reason_code) for event in world.state().events(name, 100) if event.reason_code]


def test_a_create_has_the_code_of_the_plan_and_what_follows_from_it_has_none(world):
    world.apply(job("a"))
    assert reasons(world, "a") == [("create", Reason.NEW)]
    (created,) = [event for event in world.state().events("a", 100) if event.what == "created"]
    assert (created.code, created.error_code) == (None, None)


def test_a_removal_has_its_code_on_the_cancel_on_the_delete_and_at_the_end(world):
    world.watch(job("a"))
    world.apply(job("b"))
    assert reasons(world, "a")[1:] == [("delete", Reason.REMOVED), ("forgotten", Reason.REMOVED)]


def test_an_error_keeps_its_own_code(world):
    world.here.faults({"method": "batches.create", "kind": "status", "status": 400, "count": 1})
    world.apply(job("a"))
    events = {event.what: (event.reason_code, event.error_code) for event in world.state().events("a", 100)}
    assert events["create"] == (Reason.NEW, None)
    assert events["refused"][0] is None
    assert events["refused"][1]
