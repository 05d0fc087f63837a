"""A key stands for a project: jobs of one are not gone because another's key does not show them."""

from __future__ import annotations

import pytest

from batchctl.model.lifecycle import OnMissing
from batchctl.model.writes import SaveIdentity
from batchctl.providers.gemini.provider import open_gemini
from batchctl.reconcile import Options
from tests.support import engine as engine_kit
from tests.support.engine import HERE, THERE, Until, job, live, made, phases, run
from tests.support.values import replace


@pytest.fixture
def world(make_world, monkeypatch):
    """HERE has two projects: the first key opens its own service, any other that of THERE."""
    world = make_world(accounts=(HERE, THERE))
    world.key = "first-key-of-all"

    def open_by_key(account, place, owner, wire, *, api_key):
        assert account == HERE
        project = HERE if world.key.startswith("first") else THERE
        wire = replace(wire, transport=world.services[project].wire)
        return open_gemini(account, place, owner, wire, api_key=world.key)

    monkeypatch.setattr(engine_kit, "open_gemini", open_by_key)
    return world


def test_the_identity_is_durable_before_the_first_create(world):
    world.apply(job("a"))
    noted = [entry for entry in world.log if any(isinstance(write, SaveIdentity) for write in entry.writes)]
    assert len(noted) == 1
    creates = [entry for entry in world.log if entry.what == "create"]
    assert world.log.index(noted[0]) < world.log.index(creates[0])
    world.log.clear()
    world.apply(job("a"))
    assert not any(isinstance(write, SaveIdentity) for entry in world.log for write in entry.writes)
    assert "first-key" not in str(world.recorded())


def test_another_projects_key_changes_nothing_there_or_here(world):
    jobs = [job("a", on_missing=OnMissing.RECREATE), job("b")]
    world.apply(*jobs)
    before = world.recorded()
    world.key = "other-key-of-all"
    report = world.apply(*jobs, job("new"))
    assert phases(report) == {"a": "Unknown", "b": "Unknown", "new": "Unknown"}
    assert report.errors[HERE].code == "OtherKey"
    assert (made(world.services[THERE]), world.recorded().jobs) == ({}, before.jobs)
    world.key = "first-key-of-all"
    assert phases(world.watch(*jobs)) == {"a": "Succeeded", "b": "Succeeded"}
    assert made(world.here) == {"a@1.0": 1, "b@1.0": 1}


def test_a_watch_ends_when_the_key_is_anothers(world):
    world.apply(job("a"))
    world.key = "other-key-of-all"
    report = world.watch(job("a"))
    assert report.errors[HERE].code == "OtherKey"
    assert report.stopped is None


def test_a_rotated_key_of_the_same_project_takes_over_by_itself(world):
    world.here.rules({"fate": "stuck"})
    world.apply(job("a"), job("b"))
    world.key = "first-key-renewed"
    report = world.apply(job("a"), job("b"))
    assert (phases(report), report.errors) == ({"a": "Active", "b": "Active"}, {})
    identities = dict(world.recorded().identities)
    world.apply(job("a"), job("b"))
    assert world.recorded().identities == identities
    for name in [name for names in live(world.here).values() for name in names]:
        world.here.api("POST", f"{name}:cancel")
        world.here.api("DELETE", name)
    report = run(world, [job("a"), job("b")], Until(ended=False))
    assert {(drift.job, str(drift.kind)) for drift in report.plan.drift} == {("a", "Missing"), ("b", "Missing")}


def test_an_account_of_which_nothing_is_left_belongs_to_whoever_comes(world):
    world.watch(job("a"))
    world.watch(options=Options(destroy=True))
    assert world.recorded().jobs == {}
    world.key = "other-key-of-all"
    world.watch(job("b"))
    assert made(world.services[THERE]) == {"b@1.0": 1}
