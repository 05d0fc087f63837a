from __future__ import annotations

import re
from itertools import pairwise

import httpx
import pytest

from batchctl.emulator.settings import Settings
from tests.support.embedded_emulator import World

TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main."


def test_a_new_job_is_a_pending_operation(world: World) -> None:
    job = world.create("a", "b", name="dn")
    assert re.fullmatch(r"batches/[a-z0-9]{36}", job["name"])
    assert job == {
        "name": job["name"],
        "metadata": {
            "@type": TYPE + "GenerateContentBatch",
            "model": "models/gemini-2.5-flash",
            "displayName": "dn",
            "createTime": "2026-03-01T12:00:00.000000000Z",
            "updateTime": "2026-03-01T12:00:00.000000000Z",
            "batchStats": {"requestCount": "2", "pendingRequestCount": "2"},
            "state": "BATCH_STATE_PENDING",
            "name": job["name"],
        },
    }


def test_a_job_waits_a_second_and_runs_two(world: World) -> None:
    job = world.create("a", "b")
    states = []
    for _ in range(4):
        states.append(world.state(job))
        world.pass_time("1s")
    assert states == ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"]


def test_stats_grow_while_a_job_runs(world: World) -> None:
    job = world.create("a", "b", "c", "d")
    world.pass_time("2s")
    stats = world.get(job)["metadata"]["batchStats"]
    assert stats == {"requestCount": "4", "successfulRequestCount": "2", "pendingRequestCount": "2"}


def test_a_finished_job_has_its_results_in_two_places(world: World) -> None:
    reply = world.finish(world.create("a"))
    assert reply["done"] is True
    assert "error" not in reply
    metadata, response = reply["metadata"], reply["response"]
    assert metadata["state"] == "BATCH_STATE_SUCCEEDED"
    assert metadata["endTime"] == metadata["updateTime"] == "2026-03-01T12:00:03.000000000Z"
    assert metadata["batchStats"] == {"requestCount": "1", "successfulRequestCount": "1"}
    assert response.pop("@type") == TYPE + "GenerateContentBatchOutput"
    assert response == metadata["output"]
    assert [item["metadata"] for item in response["inlinedResponses"]["inlinedResponses"]] == [{"key": "k0"}]


def test_a_file_job_names_its_result_file(world: World) -> None:
    file = world.upload(b'{"key":"a","request":{"contents":[{"parts":[{"text":"x"}]}]}}\n')
    job = world.create_from_file(file["name"])
    assert job["metadata"]["inputConfig"] == {"fileName": file["name"]}
    done = world.finish(job)
    output = {"responsesFile": "files/batch-" + job["name"].removeprefix("batches/")}
    assert done["metadata"]["output"] == output
    assert done["response"] == {"@type": TYPE + "GenerateContentBatchOutput", **output}
    [entry] = world.ok("GET", "/v1beta/batches")["operations"]
    assert entry["metadata"]["output"] == output
    assert "response" not in entry


def test_an_embed_job_has_types_of_its_own(world: World) -> None:
    done = world.finish(world.create_embed({"content": {"parts": [{"text": "a"}]}}))
    assert done["metadata"]["@type"] == TYPE + "EmbedContentBatch"
    assert done["response"]["@type"] == TYPE + "EmbedContentBatchOutput"
    assert "embedding" in done["response"]["inlinedResponses"]["inlinedResponses"][0]["response"]


def test_equal_creates_make_two_jobs(world: World) -> None:
    assert world.create("a", name="same")["name"] != world.create("a", name="same")["name"]


def test_an_empty_list_is_an_empty_object(world: World) -> None:
    assert world.ok("GET", "/v1beta/batches", params={"pageSize": 5}) == {}


def test_a_list_is_newest_first_without_inline_results(world: World) -> None:
    first = world.create()
    world.pass_time("10s")
    second = world.create_embed({"content": {"parts": [{"text": "a"}]}})
    entries = world.ok("GET", "/v1beta/batches")["operations"]
    assert [entry["name"] for entry in entries] == [second["name"], first["name"]]
    assert entries[1]["done"] is True
    assert "output" not in entries[1]["metadata"]
    assert "response" not in entries[1]


@pytest.mark.parametrize("spelling", [("pageSize", "pageToken"), ("page_size", "page_token")])
def test_pages_cover_all_jobs_once_during_changes(world: World, spelling: tuple[str, str]) -> None:
    jobs = [world.create()["name"] for _ in range(7)]
    size, token = spelling
    page = world.ok("GET", "/v1beta/batches", params={size: 3})
    names = [entry["name"] for entry in page["operations"]]
    world.create()
    world.ok("DELETE", f"/v1beta/{jobs[0]}")
    while "nextPageToken" in page:
        page = world.ok("GET", "/v1beta/batches", params={size: 3, token: page["nextPageToken"]})
        names += [entry["name"] for entry in page["operations"]]
    assert names == jobs[:0:-1]


def test_the_default_page_has_fifty_and_the_largest_a_thousand(world: World) -> None:
    with world.emulator.store.transaction():
        for _ in range(1002):
            world.create()
    assert len(world.ok("GET", "/v1beta/batches")["operations"]) == 50
    large = world.ok("GET", "/v1beta/batches", params={"pageSize": 5000})
    assert len(large["operations"]) == 1000
    assert "nextPageToken" in large


@pytest.mark.parametrize(
    "params", [{"pageToken": "nonsense"}, {"pageToken": "WzFd"}, {"pageSize": "-1"}, {"pageSize": "x"}]
)
def test_bad_paging_is_refused(world: World, params: dict[str, str]) -> None:
    world.refused(400, "GET", "/v1beta/batches", params=params)


@pytest.mark.parametrize(("waited", "served"), [("0s", 0), ("2s", 2)])
def test_a_cancelled_job_keeps_its_processed_rows(world: World, waited: str, served: int) -> None:
    job = world.create("a", "b", "c", "d")
    world.pass_time(waited)
    assert world.ok("POST", f"/v1beta/{job['name']}:cancel") == {}
    reply = world.get(job)
    assert reply["done"] is True
    assert reply["error"] == {"code": 13, "message": "Batch was cancelled."}
    assert reply["metadata"]["state"] == "BATCH_STATE_CANCELLED"
    assert "response" not in reply
    stats = {"requestCount": "4", "pendingRequestCount": str(4 - served)}
    if served:
        stats["successfulRequestCount"] = str(served)
        items = reply["metadata"]["output"]["inlinedResponses"]["inlinedResponses"]
        assert [item["metadata"]["key"] for item in items] == ["k0", "k1"]
    else:
        assert "output" not in reply["metadata"]
    assert reply["metadata"]["batchStats"] == stats
    world.pass_time("1h")
    assert world.get(job) == reply


def test_a_second_cancel_changes_nothing(world: World) -> None:
    job = world.create()
    world.ok("POST", f"/v1beta/{job['name']}:cancel", json={})
    first = world.get(job)
    world.pass_time("1s")
    world.ok("POST", f"/v1beta/{job['name']}:cancel", content=b"")
    assert world.get(job) == first


def test_cancelling_a_finished_job_does_nothing(world: World) -> None:
    job = world.create()
    done = world.finish(job)
    assert world.ok("POST", f"/v1beta/{job['name']}:cancel") == {}
    assert world.get(job) == done


def test_settings_choose_undocumented_behaviour(tmp_path) -> None:
    world = World(
        tmp_path / "e.db",
        Settings(cancel_finished_refused=True, delete_active_refused=True, list_filter_refused=True),
    )
    job = world.create()
    assert world.refused(400, "DELETE", f"/v1beta/{job['name']}")["status"] == "FAILED_PRECONDITION"
    world.finish(job)
    assert world.refused(400, "POST", f"/v1beta/{job['name']}:cancel")["status"] == "FAILED_PRECONDITION"
    world.refused(400, "GET", "/v1beta/batches", params={"filter": "x"})
    assert world.ok("DELETE", f"/v1beta/{job['name']}") == {}
    world.http.close()


def test_a_filter_is_ignored(world: World) -> None:
    world.create()
    assert len(world.ok("GET", "/v1beta/batches", params={"filter": "state=X"})["operations"]) == 1


@pytest.mark.parametrize("call", [("GET", ""), ("POST", ":cancel"), ("DELETE", "")])
def test_a_deleted_job_is_not_found(world: World, call: tuple[str, str]) -> None:
    job = world.create()
    assert world.ok("DELETE", f"/v1beta/{job['name']}", json={}) == {}
    error = world.refused(404, call[0], f"/v1beta/{job['name']}{call[1]}")
    assert (error["status"], error["message"]) == ("NOT_FOUND", "Requested entity was not found.")
    assert world.ok("GET", "/v1beta/batches") == {}


@pytest.mark.parametrize("name", ["UPPER", "a_b", "x" * 65, "a/b"])
def test_a_malformed_id_is_refused(world: World, name: str) -> None:
    assert world.refused(400, "GET", f"/v1beta/batches/{name}")["message"] == "Could not parse the batch name"


def test_an_unknown_id_is_not_found(world: World) -> None:
    world.refused(404, "GET", "/v1beta/batches/" + "a" * 36)


def test_a_job_expires_after_two_days(world: World) -> None:
    world.rules({"running": "100h"})
    job = world.create()
    world.pass_time("48h")
    reply = world.get(job)
    assert reply["metadata"]["state"] == "BATCH_STATE_EXPIRED"
    assert reply["metadata"]["endTime"] == "2026-03-03T12:00:00.000000000Z"
    assert reply["error"]["code"] == 4
    assert reply["metadata"]["batchStats"] == {"requestCount": "1", "pendingRequestCount": "1"}
    assert "output" not in reply["metadata"]


def test_results_go_after_six_weeks(world: World) -> None:
    job = world.create()
    world.pass_time("6w2s")
    assert "output" in world.get(job)["metadata"]
    world.pass_time("1s")
    reply = world.get(job)
    assert reply["done"] is True
    assert "output" not in reply["metadata"]
    assert "response" not in reply


def test_update_changes_display_name_and_priority(world: World) -> None:
    job = world.create(name="old", priority="-3")
    path = f"/v1beta/{job['name']}:updateGenerateContentBatch"
    assert job["metadata"]["priority"] == "-3"
    world.pass_time("1s")
    batch = world.ok("PATCH", path, params={"updateMask": "displayName"}, json={"displayName": "new", "priority": 9})
    assert "metadata" not in batch
    assert (batch["displayName"], batch["priority"]) == ("new", "-3")
    assert batch["updateTime"] == "2026-03-01T12:00:01.000000000Z"
    batch = world.ok("PATCH", path, json={"priority": 0})
    assert "priority" not in batch
    assert world.get(job)["metadata"]["displayName"] == "new"


def test_update_refuses_what_it_cannot_change(world: World) -> None:
    job = world.create()
    world.refused(400, "PATCH", f"/v1beta/{job['name']}:updateEmbedContentBatch", json={"displayName": "x"})
    path = f"/v1beta/{job['name']}:updateGenerateContentBatch"
    assert "model" in world.refused(400, "PATCH", path, params={"updateMask": "model"}, json={})["message"]
    world.refused(400, "PATCH", path, json={"displayNames": "x"})


def test_a_partial_reply_has_what_the_mask_names(world: World) -> None:
    job = world.create()
    world.pass_time("3s")
    reply = world.get(job, fields="name,done,metadata(state,batch_stats/requestCount)")
    assert reply == {
        "name": job["name"],
        "done": True,
        "metadata": {"state": "BATCH_STATE_SUCCEEDED", "batchStats": {"requestCount": "1"}},
    }
    listed = world.ok(
        "GET", "/v1beta/batches", params={"$fields": "operations/name", "alt": "json", "prettyPrint": "1"}
    )
    assert listed == {"operations": [{"name": job["name"]}]}


def test_every_reply_has_the_emulators_date(world: World) -> None:
    for path in ("/v1beta/batches", "/_emulator/clock", "/nowhere"):
        assert world.http.get(path).headers["date"] == "Sun, 01 Mar 2026 12:00:00 GMT"
    world.ok("POST", "/_emulator/clock", json={"advance": "1d"})
    assert world.http.get("/v1beta/batches").headers["date"] == "Mon, 02 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize("version", ["v1", "v1alpha", "v1beta"])
def test_all_api_versions_are_available(world: World, version: str) -> None:
    assert world.http.get(f"/{version}/batches").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v2/batches"),
        ("POST", "/v1beta/batches"),
        ("POST", "/v1beta/models/gemini-x:generateContent"),
    ],
)
def test_other_paths_are_not_found(world: World, method: str, path: str) -> None:
    world.refused(404, method, path)


def test_ids_are_unique(world: World) -> None:
    names = sorted(world.create()["name"] for _ in range(50))
    assert all(left != right for left, right in pairwise(names))


def test_get_does_not_compute_results_outside_of_the_mask(world: World) -> None:
    """The mask is evaluated before the work: an input whose bytes are deleted is not read."""
    job = world.create()
    world.pass_time("3s")
    world.emulator.store.change("UPDATE pieces SET data = 'broken'")
    assert world.get(job, fields="name") == {"name": job["name"]}
    with pytest.raises((ValueError, TypeError)):
        world.http.get(f"/v1beta/{job['name']}")


def test_keys_are_not_stored(world: World, tmp_path) -> None:
    secret = "very-secret-key"
    world.http.get("/v1beta/batches", headers={"x-goog-api-key": secret})
    bad = world.http.get("/v1beta/batches", params={"key": "invalid-" + secret}, headers={"x-goog-api-key": ""})
    assert secret not in bad.text
    assert isinstance(bad, httpx.Response)
    assert all(secret.encode() not in path.read_bytes() for path in tmp_path.iterdir())
