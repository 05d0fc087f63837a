from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.vertex_calls import JOBS, Vertex, body


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Vertex]:
    world = Vertex(tmp_path / "emulator.db")
    yield world
    world.http.close()


@pytest.mark.parametrize(("when", "jobs"), [("before", 0), ("after", 1)])
def test_a_reply_may_be_lost_before_and_after_the_effect(world: Vertex, when: str, jobs: int) -> None:
    world.faults(
        {"method": "batchPredictionJobs.create", "kind": "cut", "when": when, "count": 1},
        {"method": "batchPredictionJobs.*", "kind": "status", "status": 503, "when": when, "count": 1},
    )
    with pytest.raises(httpx.RemoteProtocolError):
        world.make()
    world.refused(503, "POST", JOBS, json=body())
    assert len(world.listed()) == 2 * jobs


def pages(world: Vertex, **params: Any) -> list[list[str]]:
    found = []
    while True:
        page = world.ok("GET", JOBS, params=params)
        found.append([job["displayName"] for job in page.get("batchPredictionJobs", [])])
        if "nextPageToken" not in page:
            return found
        params["pageToken"] = page["nextPageToken"]


def test_an_empty_page_comes_in_the_middle(world: Vertex) -> None:
    for number in range(3):
        world.make(displayName=str(number), labels={"n": str(number)})
    world.faults({"method": "batchPredictionJobs.list", "kind": "emptyPage"})
    assert pages(world) == [["2", "1"], [], ["0"]]
    assert pages(world, filter="NOT labels.n=1", pageSize=1) == [["2"], [], ["0"]]


def test_a_list_may_lag(world: Vertex) -> None:
    job = world.make(labels={"n": "1"})
    world.faults({"kind": "listLag", "delay": "10s"})
    assert world.listed(filter="labels.n=1") == []
    assert world.see(job)["name"] == job["name"]
    world.pass_time("10s")
    assert [each["name"] for each in world.listed(filter="labels.n=1")] == [job["name"]]


@pytest.mark.parametrize("method", ["batchPredictionJobs.list", "batchPredictionJobs.get"])
def test_counts_may_be_stale(world: Vertex, method: str) -> None:
    job = world.make()
    world.faults({"method": method, "kind": "staleStats"})
    world.pass_time("3s")
    [listed] = world.listed()
    stale, fresh = (listed, world.see(job)) if method.endswith("list") else (world.see(job), listed)
    assert (stale["completionStats"], fresh["completionStats"]) == ({"incompleteCount": "4"}, {"successfulCount": "4"})
    assert stale["state"] == fresh["state"] == "JOB_STATE_SUCCEEDED"


def test_a_deleted_job_may_be_forbidden(world: Vertex) -> None:
    job = world.end(world.make())
    world.ok("DELETE", f"/v1/{job['name']}")
    world.faults({"kind": "forbiddenAfterDelete"})
    error = world.refused(403, "GET", f"/v1/{job['name']}")
    place = f"//aiplatform.googleapis.com/{job['name']}"
    text = f"Permission 'aiplatform.batchPredictionJobs.get' denied on resource '{place}' (or it may not exist)."
    assert (error["status"], error["message"]) == ("PERMISSION_DENIED", text)
    world.refused(404, "GET", f"{JOBS}/1")
