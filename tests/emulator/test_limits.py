"""Quotas and restrictions: tokens, file storage, requester pays, locations of buckets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.settings import Settings
from batchctl.emulator.vertex.locations import are_near
from tests.support.cloud_calls import BUCKET, OBJECTS, UPLOAD, Plane
from tests.support.embedded_emulator import EMBED_MODEL, MODEL, World
from tests.support.vertex_calls import GCS, TO_GCS, Vertex, body, from_gcs, to_table

CREATE = f"/v1beta/{MODEL}:batchGenerateContent"
PAYER = {"userProject": "p"}


def batch(text: str) -> dict[str, Any]:
    items = [{"request": {"contents": [{"parts": [{"text": text}]}]}}]
    return {"batch": {"inputConfig": {"requests": {"requests": items}}}}


def tokens(world: World, most: int) -> None:
    world.ok("PUT", "/_emulator/settings", json={"enqueuedTokens": most})


def test_the_tokens_of_active_jobs_are_limited(world: World) -> None:
    tokens(world, 500)
    first = world.ok("POST", CREATE, json=batch("x" * 1200))
    error = world.refused(429, "POST", CREATE, json=batch("x" * 1200))
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["message"].startswith("You exceeded your current quota")
    assert [detail["@type"].rpartition(".")[2] for detail in error["details"]] == ["Help"]
    assert len(world.ok("GET", "/v1beta/batches")["operations"]) == 1
    world.ok("POST", "/v1beta/models/gemini-2.5-pro:batchGenerateContent", json=batch("x" * 1200))
    world.ok("POST", CREATE, json=batch("x" * 100))
    world.finish(first)
    world.ok("POST", CREATE, json=batch("x" * 1200))


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_cancelled_and_deleted_jobs_free_their_tokens(world: World, verb: str) -> None:
    tokens(world, 500)
    job = world.ok("POST", CREATE, json=batch("x" * 1200))
    path = f"/v1beta/{job['name']}"
    world.ok(*(("POST", f"{path}:cancel") if verb == "cancel" else ("DELETE", path)))
    world.ok("POST", CREATE, json=batch("x" * 1200))


def test_files_count_and_are_kept_when_their_job_is_refused(world: World) -> None:
    line = json.dumps({"key": "k", "request": {"content": {"parts": [{"text": "x" * 2000}]}}}).encode()
    file = world.upload(line)["name"]
    body = {"batch": {"inputConfig": {"fileName": file}}}
    tokens(world, 500)
    world.refused(429, "POST", f"/v1beta/{EMBED_MODEL}:asyncBatchEmbedContent", json=body)
    tokens(world, 600)
    job = world.ok("POST", f"/v1beta/{EMBED_MODEL}:asyncBatchEmbedContent", json=body)
    assert job["metadata"]["batchStats"]["requestCount"] == "1"


def test_results_may_expire_after_two_days(world: World) -> None:
    world.ok("PUT", "/_emulator/settings", json={"resultLifetime": "48h"})
    inline, row = world.create(), b'{"key":"k","request":{"contents":[{"parts":[{"text":"a"}]}]}}'
    filed = world.create_from_file(world.upload(row)["name"])
    world.pass_time("48h2s")
    result = f"/v1beta/{world.get(filed)['metadata']['output']['responsesFile']}:download?alt=media"
    assert world.http.get(result).status_code == 200
    assert "response" in world.get(inline)
    world.pass_time("2s")
    for job in (inline, filed):
        found = world.get(job)
        assert found["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
        assert "response" not in found
        assert "output" not in found["metadata"]
    assert world.http.get(result).status_code == 403


def test_the_storage_quota_covers_uploads_of_unknown_size(tmp_path: Path) -> None:
    world = World(tmp_path / "e.db", settings=Settings(file_storage=10))
    url = world.start_upload()
    reply = world.send(url, b"x" * 11)
    assert reply.status_code == 429, reply.text
    assert world.ok("GET", "/v1beta/files") == {}
    world.upload(b"x" * 6)
    late = world.start_upload()
    assert world.send(late, b"x" * 5).status_code == 429
    assert world.send(world.start_upload(), b"x" * 4).status_code == 200


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[Plane]:
    plane = Plane(tmp_path / "plane.db")
    plane.ok("POST", "/storage/v1/b", params={"project": "p"}, json={"name": BUCKET})
    plane.put("a", b"bytes")
    plane.http.put("/_emulator/settings", json={"requesterPays": ["other-*", "de?o"]}).raise_for_status()
    yield plane
    plane.http.close()


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", f"/storage/v1/b/{BUCKET}"),
        ("GET", OBJECTS),
        ("GET", f"{OBJECTS}/a?alt=media"),
        ("DELETE", f"{OBJECTS}/a"),
    ],
)
def test_a_bucket_may_require_a_payer(paid: Plane, verb: str, path: str) -> None:
    error = paid.refused(400, verb, path)
    assert error["message"] == "Bucket is a requester pays bucket but no user project provided."
    assert error["errors"][0]["reason"] == "required"
    assert paid.http.request(verb, path, headers={"x-goog-user-project": "p"}).is_success
    if verb == "GET":
        assert paid.http.request(verb, f"{path}{'&' if '?' in path else '?'}userProject=p").is_success


def test_the_address_of_a_session_includes_the_payer(paid: Plane) -> None:
    paid.refused(400, "POST", UPLOAD, params={"uploadType": "media", "name": "b"}, content=b"x")
    paid.put("b", b"x", **PAYER)
    url = paid.session(params={"name": "c", **PAYER})
    assert paid.piece(url, b"xyz", "bytes 0-2/3").status_code == 200
    assert paid.ok("GET", f"/storage/v1/b/{BUCKET}", params=PAYER)["billing"] == {"requesterPays": True}


@pytest.mark.parametrize(
    ("bucket", "location", "near"),
    [
        ("", "europe-west4", True),
        ("us-central1", "us-central1", True),
        ("us-east1", "us-central1", False),
        ("us", "us-central1", True),
        ("us", "europe-west4", False),
        ("eu", "europe-west4", True),
        ("europe-west4", "eu", True),
        ("europe-west4", "us", False),
        ("nam4", "us-central1", True),
        ("eur4", "us-central1", False),
        ("asia", "asia-east1", True),
        ("asia-east1", "asia-east2", False),
        ("australia-southeast1", "us-central1", False),
        ("australia-southeast1", "global", True),
    ],
)
def test_which_buckets_are_near(bucket: str, location: str, near: bool) -> None:
    assert are_near(bucket, location) is near


def jobs(location: str) -> str:
    return f"/v1/projects/demo/locations/{location}/batchPredictionJobs"


def test_a_bucket_elsewhere_is_refused(tmp_path: Path) -> None:
    world = Vertex(tmp_path / "e.db")
    world.seed(tmp_path, buckets={"far": {"location": "EUROPE-WEST4", "objects": {"in.jsonl": {"lines": [{}]}}}})
    found = world.ok("GET", "/storage/v1/b/far")
    assert (found["location"], found["locationType"]) == ("EUROPE-WEST4", "region")
    assert world.ok("GET", "/storage/v1/b/in")["location"] == "US"
    far: list[dict[str, Any]] = [
        {"inputConfig": from_gcs("gs://in/rows.jsonl", "gs://far/in.jsonl")},
        {"outputConfig": {**TO_GCS, "gcsDestination": {"outputUriPrefix": "gs://far/out"}}},
    ]
    for members in far:
        error = world.refused(400, "POST", jobs("us-central1"), json=body(**members))
        assert error["status"] == "FAILED_PRECONDITION"
        assert "is in location `europe-west4`" in error["message"]
        assert "the service location `us-central1`" in error["message"]
        for near in ("europe-west4", "eu", "global"):
            world.ok("POST", jobs(near), json=body(**members))
    world.ok("POST", jobs("us-central1"), json=body(inputConfig=from_gcs("gs://nowhere/x", "nonsense")))
    world.ok("POST", jobs("asia-east1"), json=body(inputConfig=GCS))


@pytest.mark.parametrize(
    "members",
    [
        {"outputConfig": to_table("bq://p.d.out")},
        {"inputConfig": {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://p.d.t"}}},
    ],
)
def test_bigquery_is_not_available_on_global(tmp_path: Path, members: dict[str, Any]) -> None:
    world = Vertex(tmp_path / "e.db")
    assert "BigQuery" in world.refused(400, "POST", jobs("global"), json=body(**members))["message"]
    world.ok("POST", jobs("us"), json=body(**members))


def rows_of(count: int, size: int = 1) -> bytes:
    request = {"contents": [{"role": "user", "parts": [{"text": "x" * size}]}]}
    return b"".join(json.dumps({"key": f"k{at}", "request": request}).encode() + b"\n" for at in range(count))


def test_rows_of_a_job_are_limited_at_the_developer_api(world: World) -> None:
    world.ok("PUT", "/_emulator/settings", json={"rowLimit": 2})
    files = [world.upload(rows_of(count))["name"] for count in (2, 3)]
    world.create_from_file(files[0])
    error = world.refused(400, "POST", CREATE, json={"batch": {"inputConfig": {"fileName": files[1]}}})
    assert error["status"] == "INVALID_ARGUMENT"
    assert "3 requests, at most 2 are allowed" in error["message"]
    items = [{"request": {"content": {"parts": [{"text": "a"}]}}}] * 3
    body = {"batch": {"inputConfig": {"requests": {"requests": items}}}}
    world.refused(400, "POST", f"/v1beta/{EMBED_MODEL}:asyncBatchEmbedContent", json=body)
    assert [job["rows"] for job in world.ok("GET", "/_emulator/jobs")["jobs"]] == [2]
    assert world.emulator.store.rows("SELECT count(DISTINCT blob) FROM pieces") == [(2,)]


def test_rows_of_a_job_are_limited_on_vertex(vertex: Vertex) -> None:
    vertex.ok("PUT", "/_emulator/settings", json={"rowLimit": 4})
    vertex.put("five.jsonl", rows_of(5))
    good, bad = vertex.make(), vertex.make(inputConfig=from_gcs("gs://in/five.jsonl"))
    assert vertex.end(good)["state"] == "JOB_STATE_SUCCEEDED"
    assert vertex.see(bad)["error"] == {
        "code": 3,
        "message": "Failed to import data. The input has more than 4 instances.",
    }


@pytest.mark.parametrize("way", ["declared", "undeclared", "raw", "session"])
def test_an_upload_is_limited(world: World, way: str) -> None:
    world.ok("PUT", "/_emulator/settings", json={"fileLimit": 100})
    content = b"x" * 101
    world.upload(content[1:])
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    if way == "declared":
        headers["x-goog-upload-header-content-length"] = "101"
        reply = world.http.post("/upload/v1beta/files", json={"file": {"mime_type": "jsonl"}}, headers=headers)
    elif way == "undeclared":
        reply = world.send(world.start_upload(), content)
    elif way == "raw":
        raw = {"x-goog-upload-protocol": "raw", "x-goog-upload-header-content-type": "text/plain"}
        reply = world.http.post("/upload/v1beta/files", content=content, headers=raw)
    else:
        opened = world.http.post("/upload/v1beta/files?uploadType=resumable", json={"file": {"mimeType": "jsonl"}})
        reply = world.http.put(opened.headers["location"], content=content)
    assert reply.status_code == 400
    assert len(world.ok("GET", "/v1beta/files")["files"]) == 1


def test_an_object_that_a_job_reads_is_limited(vertex: Vertex) -> None:
    content = rows_of(3)
    vertex.put("three.jsonl", content)
    for limit, state in ((len(content), "SUCCEEDED"), (len(content) - 1, "FAILED")):
        vertex.ok("PUT", "/_emulator/settings", json={"fileLimit": limit})
        job = vertex.make(inputConfig=from_gcs("gs://in/three.jsonl"))
        assert vertex.end(job)["state"] == f"JOB_STATE_{state}"
    assert vertex.see(job)["error"]["message"] == (
        f"Failed to import data. The size of gs://in/three.jsonl is {limit + 1} bytes, and the limit is {limit} bytes."
    )


def test_the_body_of_a_call_is_limited_except_of_control_calls_and_uploads(world: World) -> None:
    world.ok("PUT", "/_emulator/settings", json={"bodyLimit": 300})
    world.ok("POST", CREATE, json=batch("x"))
    error = world.refused(400, "POST", CREATE, json=batch("x" * 300))
    assert error["message"] == "Request payload size exceeds the limit: 300 bytes."
    world.upload(b"x" * 1000)
    world.ok("PUT", "/_emulator/settings", json={"models": {"gemini-2.5-pro": {"message": "m" * 900}}})
