from __future__ import annotations

from typing import Any

import httpx
import pytest

from batchctl.emulator.core import METHODS
from tests.support.embedded_emulator import World


def created(world: World) -> int:
    return len(world.ok("GET", "/_emulator/jobs")["jobs"])


@pytest.mark.parametrize(("when", "jobs"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("status", [408, 429, 503])
def test_a_status_comes_before_or_after_the_effect(world: World, when: str, jobs: int, status: int) -> None:
    world.faults({"method": "batches.create", "kind": "status", "status": status, "when": when, "count": 1})
    with pytest.raises(AssertionError, match=str(status)):
        world.create()
    assert created(world) == jobs
    world.create()
    assert created(world) == jobs + 1


def details(world: World, **fault: Any) -> tuple[dict[str, Any], list[str]]:
    world.faults({"kind": "status", **fault})
    error = world.refused(fault["status"], "GET", "/v1beta/batches")
    return error, [detail["@type"].rpartition(".")[2] for detail in error.get("details", [])]


def test_a_quota_error_may_have_a_retry_delay(world: World) -> None:
    error, types = details(world, status=429)
    assert (error["status"], types) == ("RESOURCE_EXHAUSTED", ["Help"])
    error, types = details(world, status=429, retryInfo="43s")
    assert types == ["QuotaFailure", "Help", "RetryInfo"]
    assert error["details"][2]["retryDelay"] == "43s"
    assert error["message"].endswith("Please retry in 43s.")
    error, types = details(world, status=503, retryInfo="1.5s")
    assert (error["status"], types) == ("UNAVAILABLE", ["RetryInfo"])
    error, types = details(world, status=599)
    assert (error["status"], types) == ("UNKNOWN", [])


@pytest.mark.parametrize(("when", "jobs"), [("before", 0), ("after", 1)])
def test_a_cut_loses_the_reply(world: World, when: str, jobs: int) -> None:
    world.faults({"method": "batches.*", "kind": "cut", "when": when, "count": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        world.create()
    assert created(world) == jobs


def test_a_delay_within_the_timeout_is_only_late(world: World) -> None:
    world.faults({"method": "batches.create", "kind": "delay", "delay": "5s"})
    world.create()
    world.faults({"method": "batches.create", "kind": "delay", "delay": "4s", "when": "after"})
    world.create()
    assert world.slept == [5.0, 4.0]
    assert created(world) == 2


@pytest.mark.parametrize(("when", "jobs"), [("before", 0), ("after", 1)])
def test_a_delay_over_the_timeout_is_a_read_timeout(world: World, when: str, jobs: int) -> None:
    world.faults({"method": "batches.create", "kind": "delay", "delay": "1h", "when": when})
    with pytest.raises(httpx.ReadTimeout):
        world.create()
    assert world.slept == [5.0]
    assert created(world) == jobs


def test_a_client_without_timeout_waits_for_ever(world: World) -> None:
    world.faults({"kind": "delay", "delay": "1h"})
    world.http.get("/v1beta/batches", timeout=None)
    assert world.slept == [3600.0]


def pages(world: World, size: int) -> list[list[str]]:
    params: dict[str, Any] = {"pageSize": size}
    found = []
    while True:
        page = world.ok("GET", "/v1beta/batches", params=params)
        found.append([entry["metadata"]["displayName"] for entry in page.get("operations", [])])
        if "nextPageToken" not in page:
            return found
        params["pageToken"] = page["nextPageToken"]


@pytest.mark.parametrize(
    ("jobs", "size", "expected"),
    [
        (0, 5, [[]]),
        (1, 5, [["0"], [], []]),
        (3, 5, [["2", "1"], [], ["0"]]),
        (3, 2, [["2", "1"], [], ["0"]]),
        (4, 1, [["3"], [], ["2"], ["1"], ["0"]]),
    ],
)
def test_an_empty_page_comes_in_the_middle(world: World, jobs: int, size: int, expected: list[list[str]]) -> None:
    for number in range(jobs):
        world.create(name=str(number))
    world.faults({"method": "batches.list", "kind": "emptyPage"})
    assert pages(world, size) == expected


def test_stale_stats_are_those_of_the_creation(world: World) -> None:
    job = world.create("a", "b")
    world.pass_time("3s")
    world.faults({"method": "batches.*", "kind": "staleStats"})
    [entry] = world.ok("GET", "/v1beta/batches")["operations"]
    for reply in (entry, world.get(job)):
        assert reply["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
        assert reply["metadata"]["batchStats"] == {"requestCount": "2", "pendingRequestCount": "2"}
        assert reply["done"] is True


def test_a_lagging_list_lacks_young_jobs(world: World) -> None:
    old = world.create(name="old")
    world.pass_time("10s")
    young = world.create(name="young")
    world.faults({"method": "batches.list", "kind": "listLag", "delay": "10s"})
    assert pages(world, 5) == [["old"]]
    assert world.get(young)["name"] != old["name"]
    world.pass_time("10s")
    assert pages(world, 5) == [["young", "old"]]


def test_a_deleted_job_may_be_forbidden(world: World) -> None:
    live, deleted = world.create(), world.create()
    world.faults({"kind": "forbiddenAfterDelete", "count": 1})
    world.ok("DELETE", f"/v1beta/{deleted['name']}")
    world.get(live)
    world.refused(403, "GET", f"/v1beta/{deleted['name']}")
    world.refused(404, "GET", f"/v1beta/{deleted['name']}")


def test_a_count_decreases_until_the_fault_ends(world: World) -> None:
    world.faults({"method": "batches.list", "kind": "status", "status": 500, "count": 2})
    codes = []
    for left in (1, 0, 0):
        codes.append(world.http.get("/v1beta/batches").status_code)
        assert world.http.get("/_emulator/faults").json()[0]["count"] == left
    assert codes == [500, 500, 200]


def draws(world: World, **fault: Any) -> str:
    world.faults({"method": "batches.list", "kind": "status", "status": 500, **fault})
    return "".join(str(world.http.get("/v1beta/batches").status_code)[0] for _ in range(60))


def test_draws_repeat_with_the_same_seed(world: World) -> None:
    first = draws(world, probability=0.5, seed=1)
    assert draws(world, probability=0.5, seed=1) == first
    assert draws(world, probability=0.5, seed=2) != first
    assert 15 < first.count("5") < 45
    assert draws(world, probability=0) == "2" * 60
    assert draws(world, probability=1, count=3) == "555" + "2" * 57


def test_the_first_fault_that_fires_applies(world: World) -> None:
    world.faults(
        {"method": "batches.create", "kind": "status", "status": 500},
        {"method": "*.list", "kind": "status", "status": 502, "count": 1},
        {"kind": "status", "status": 503},
    )
    assert [world.http.get("/v1beta/batches").status_code for _ in range(2)] == [502, 503]
    assert world.http.get("/v1beta/files").status_code == 503


def test_faults_apply_to_all_calls_except_control_calls(world: World) -> None:
    world.faults({"kind": "status", "status": 500})
    for path in ("/v1beta/batches", "/nowhere"):
        assert world.http.get(path).status_code == 500
    assert world.send("/upload/v1beta/files?upload_id=x", b"").status_code == 500
    assert world.ok("GET", "/_emulator/requests")["total"] == 3


def test_unknown_paths_have_a_method_name() -> None:
    assert "unknown" in METHODS


@pytest.mark.parametrize(
    ("faults", "text"),
    [
        ({"kind": "cut"}, "faults:"),
        ([{"method": "batches.create"}], "faults[0]: 'kind' is a required property"),
        ([{"kind": "boom"}], "faults[0].kind:"),
        ([{"kind": "cut", "extra": 1}], "faults[0]: Additional"),
        ([{"kind": "cut"}, {"kind": "status"}], "faults[1]: 'status' is a required property"),
        ([{"kind": "delay"}], "faults[0]: 'delay' is a required property"),
        ([{"kind": "listLag"}], "faults[0]: 'delay' is a required property"),
        ([{"kind": "cut", "status": 500}], "faults[0].status: does not apply here"),
        ([{"kind": "status", "status": 500, "delay": "1s"}], "faults[0].delay: does not apply here"),
        ([{"kind": "status", "status": 200}], "faults[0].status:"),
        ([{"kind": "status", "status": 429, "retryInfo": "soon"}], "faults[0].retryInfo:"),
        ([{"kind": "cut", "when": "while"}], "faults[0].when:"),
        ([{"kind": "cut", "probability": 1.5}], "faults[0].probability:"),
        ([{"kind": "cut", "count": -1}], "faults[0].count:"),
        ([{"kind": "echoNormalised", "delay": "1s"}], "faults[0].delay: does not apply here"),
        ([{"kind": "cut", "method": "batches.make"}], "faults[0].method: 'batches.make' matches no method"),
        *[
            ([{"kind": kind, "method": method, **more}], f"faults[0].method: '{method}' matches no method that {kind} ")
            for kind, method, more in (
                ("emptyPage", "batches.create", {}),
                ("emptyPage", "files.list", {}),
                ("listLag", "*.get", {"delay": "1s"}),
                ("staleStats", "files.*", {}),
                ("timeTravel", "batches.delete", {"delay": "1s"}),
                ("echoNormalised", "batches.*", {}),
                ("forbiddenAfterDelete", "*.list", {}),
            )
        ],
        *[
            ([{"kind": kind, "when": "after", **more}], "faults[0].when: only cut, delay, status may have when: after")
            for kind, more in (("emptyPage", {}), ("listLag", {"delay": "1s"}), ("echoNormalised", {}))
        ],
        ([{"kind": "cut", "lasts": "soon"}], "faults[0].lasts:"),
    ],
)
def test_wrong_faults_are_refused_with_their_place(world: World, faults: Any, text: str) -> None:
    assert world.refused(400, "PUT", "/_emulator/faults", json=faults)["message"].startswith(text)
    assert world.http.get("/_emulator/faults").json() == []


def test_a_status_fault_may_have_its_own_message_and_name(world: World) -> None:
    error, _ = details(world, status=400, name="FAILED_PRECONDITION", message="not now")
    assert error == {"code": 400, "message": "not now", "status": "FAILED_PRECONDITION"}
    error, types = details(world, status=429, message="limit: 0", retryInfo="3s")
    assert (error["message"], error["status"], types) == ("limit: 0", "RESOURCE_EXHAUSTED", ["RetryInfo"])
    assert details(world, status=400, name="FAILED_PRECONDITION")[0]["status"] == "FAILED_PRECONDITION"
    assert details(world, status=429, name="ABORTED")[0]["status"] == "ABORTED"
    assert details(world, status=429, name="ABORTED", retryInfo="3s")[0]["status"] == "ABORTED"


def test_a_permission_may_take_effect_late(world: World) -> None:
    words = "Permission denied on resource project p."
    fault = {"kind": "status", "status": 403, "message": words, "method": "batches.*", "lasts": "3m"}
    world.faults(fault)
    assert world.refused(403, "GET", "/v1beta/batches")["message"] == words
    assert world.ok("GET", "/v1beta/files") == {}
    world.pass_time("2m59s")
    assert world.http.get("/_emulator/faults").json() == [{**fault, "lasts": "1s"}]
    world.refused(403, "GET", "/v1beta/batches")
    world.pass_time("1s")
    assert world.ok("GET", "/v1beta/batches") == {}
    assert world.http.get("/_emulator/faults").json() == [{**fault, "lasts": "0s"}]
