from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.vertex_calls import JOBS, Vertex, body


@pytest.mark.parametrize(("when", "jobs"), [("before", 0), ("after", 1)])
def test_a_reply_may_be_lost_before_and_after_the_effect(vertex: Vertex, when: str, jobs: int) -> None:
    vertex.faults(
        {"method": "batchPredictionJobs.create", "kind": "cut", "when": when, "count": 1},
        {"method": "batchPredictionJobs.*", "kind": "status", "status": 503, "when": when, "count": 1},
    )
    with pytest.raises(httpx.RemoteProtocolError):
        vertex.make()
    vertex.refused(503, "POST", JOBS, json=body())
    assert len(vertex.listed()) == 2 * jobs


def pages(vertex: Vertex, **params: Any) -> list[list[str]]:
    found = []
    while True:
        page = vertex.ok("GET", JOBS, params=params)
        found.append([job["displayName"] for job in page.get("batchPredictionJobs", [])])
        if "nextPageToken" not in page:
            return found
        params["pageToken"] = page["nextPageToken"]


def test_an_empty_page_comes_in_the_middle(vertex: Vertex) -> None:
    for number in range(3):
        vertex.make(displayName=str(number), labels={"n": str(number)})
    vertex.faults({"method": "batchPredictionJobs.list", "kind": "emptyPage"})
    assert pages(vertex) == [["2", "1"], [], ["0"]]
    assert pages(vertex, filter="NOT labels.n=1", pageSize=1) == [["2"], [], ["0"]]


def test_a_list_may_lag(vertex: Vertex) -> None:
    job = vertex.make(labels={"n": "1"})
    vertex.faults({"kind": "listLag", "delay": "10s"})
    assert vertex.listed(filter="labels.n=1") == []
    assert vertex.see(job)["name"] == job["name"]
    vertex.pass_time("10s")
    assert [each["name"] for each in vertex.listed(filter="labels.n=1")] == [job["name"]]


@pytest.mark.parametrize("method", ["batchPredictionJobs.list", "batchPredictionJobs.get"])
def test_counts_may_be_stale(vertex: Vertex, method: str) -> None:
    job = vertex.make()
    vertex.faults({"method": method, "kind": "staleStats"})
    vertex.pass_time("3s")
    [listed] = vertex.listed()
    stale, fresh = (listed, vertex.see(job)) if method.endswith("list") else (vertex.see(job), listed)
    assert (stale["completionStats"], fresh["completionStats"]) == ({"incompleteCount": "4"}, {"successfulCount": "4"})
    assert stale["state"] == fresh["state"] == "JOB_STATE_SUCCEEDED"


def test_a_deleted_job_may_be_forbidden(vertex: Vertex) -> None:
    job = vertex.end(vertex.make())
    vertex.ok("DELETE", f"/v1/{job['name']}")
    vertex.faults({"kind": "forbiddenAfterDelete"})
    error = vertex.refused(403, "GET", f"/v1/{job['name']}")
    place = f"//aiplatform.googleapis.com/{job['name']}"
    text = f"Permission 'aiplatform.batchPredictionJobs.get' denied on resource '{place}' (or it may not exist)."
    assert (error["status"], error["message"]) == ("PERMISSION_DENIED", text)
    vertex.refused(404, "GET", f"{JOBS}/1")
