"""The fault `timeTravel`: lists and gets of jobs answer as they would have some time ago."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.embedded_emulator import World
from tests.support.vertex_calls import Vertex

BACK = {"kind": "timeTravel", "delay": "10s"}


@pytest.fixture
def vertex(tmp_path: Path) -> Iterator[Vertex]:
    world = Vertex(tmp_path / "vertex.db")
    yield world
    world.http.close()


def listed(world: World, **params: str) -> list[tuple[str, str]]:
    found = world.ok("GET", "/v1beta/batches", params=params).get("operations", [])
    return [(one["metadata"]["displayName"], one["metadata"]["state"].removeprefix("BATCH_STATE_")) for one in found]


def test_a_list_shows_each_job_as_it_was(world: World) -> None:
    world.create(name="old")
    world.pass_time("9s")
    world.create(name="new")
    assert listed(world) == [("new", "PENDING"), ("old", "SUCCEEDED")]
    world.faults(BACK)
    assert listed(world) == []
    world.pass_time("1s")
    assert listed(world) == [("old", "PENDING")]
    world.pass_time("1s")
    assert listed(world) == [("old", "RUNNING")]
    world.pass_time("8s")
    assert listed(world) == [("new", "PENDING"), ("old", "SUCCEEDED")]
    world.faults()
    assert listed(world) == [("new", "SUCCEEDED"), ("old", "SUCCEEDED")]


def test_a_get_answers_as_it_would_have(world: World) -> None:
    job = world.create("hello")
    path = f"/v1beta/{job['name']}"
    world.pass_time("9s")
    world.faults(BACK)
    world.refused(404, "GET", path)
    world.pass_time("2s")
    assert world.state(job) == "RUNNING"
    assert "response" not in world.get(job)
    world.pass_time("2s")
    assert world.state(job) == "SUCCEEDED"
    assert "response" in world.get(job)


def test_a_deleted_job_is_visible_until_then(world: World) -> None:
    job = world.create("hello", name="gone")
    path = f"/v1beta/{job['name']}"
    world.pass_time("5s")
    world.ok("DELETE", path)
    world.faults(BACK)
    world.pass_time("9s")
    assert listed(world) == [("gone", "SUCCEEDED")]
    assert world.state(job) == "SUCCEEDED"
    # Its results were deleted with it.
    assert "response" not in world.get(job)
    # Calls that change something always apply to the present.
    world.refused(404, "DELETE", path)
    world.refused(404, "POST", f"{path}:cancel")
    world.pass_time("1s")
    assert listed(world) == []
    world.refused(404, "GET", path)


def test_a_cancelled_job_still_runs_in_the_past(world: World) -> None:
    world.rules({"match": {}, "running": "1h"})
    job = world.create(name="a")
    world.pass_time("20s")
    world.ok("POST", f"/v1beta/{job['name']}:cancel")
    assert world.state(job) == "CANCELLED"
    world.faults({**BACK, "method": "batches.list"})
    assert listed(world) == [("a", "RUNNING")]
    assert world.state(job) == "CANCELLED"
    world.pass_time("10s")
    assert listed(world) == [("a", "CANCELLED")]


def test_pages_show_one_moment_while_the_fault_lasts(world: World) -> None:
    for name in "abc":
        world.create(name=name)
    world.pass_time("9s")
    world.create(name="d")
    world.pass_time("1s")
    world.faults({**BACK, "count": 2})
    first = world.ok("GET", "/v1beta/batches", params={"pageSize": "2"})
    assert [one["metadata"]["displayName"] for one in first["operations"]] == ["c", "b"]
    assert listed(world, pageSize="2", pageToken=first["nextPageToken"]) == [("a", "PENDING")]
    assert [name for name, _ in listed(world)] == ["d", "c", "b", "a"]


def test_time_travel_applies_to_vertex(vertex: Vertex) -> None:
    job = vertex.make(displayName="a", labels={"n": "1"})
    vertex.pass_time("9s")
    vertex.faults({**BACK, "method": "batchPredictionJobs.*"})
    assert vertex.listed() == []
    vertex.refused(404, "GET", f"/v1/{job['name']}")
    vertex.pass_time("2s")
    assert [one["state"] for one in vertex.listed(filter='state="JOB_STATE_RUNNING"')] == ["JOB_STATE_RUNNING"]
    assert vertex.listed(filter='state="JOB_STATE_SUCCEEDED"') == []
    shown = vertex.see(job)
    assert (shown["state"], "endTime" in shown, "outputInfo" in shown) == ("JOB_STATE_RUNNING", False, False)
    vertex.pass_time("5s")
    vertex.ok("DELETE", f"/v1/{job['name']}")
    assert [one["state"] for one in vertex.listed()] == ["JOB_STATE_SUCCEEDED"]
    assert vertex.state_of(job) == "SUCCEEDED"
    vertex.pass_time("10s")
    assert vertex.listed() == []
    vertex.refused(404, "GET", f"/v1/{job['name']}")


@pytest.mark.parametrize("fault", [{"kind": "timeTravel"}, {**BACK, "status": 500}, {**BACK, "delay": "soon"}])
def test_time_travel_requires_a_delay(world: World, fault: dict[str, str]) -> None:
    world.refused(400, "PUT", "/_emulator/faults", json=[fault])
