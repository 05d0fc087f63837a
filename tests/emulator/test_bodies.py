"""Bodies, credentials and replies beyond plain JSON: gzip, lenient JSON, tokens in the query, enums as numbers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.emulator.bodies import as_strict_json
from batchctl.emulator.embedded import EmbeddedTransport
from batchctl.emulator.settings import Settings
from tests.support.cloud_calls import BUCKET, OBJECTS, Plane
from tests.support.embedded_emulator import MODEL, World
from tests.support.vertex_calls import JOBS, Vertex, body

CREATE = f"/v1/{MODEL}:batchGenerateContent"
PACKED = {"content-encoding": "gzip"}
NUMBERS = {"$alt": "json;enum-encoding=int"}


def batch(text: str = "hi") -> dict[str, Any]:
    request = {"contents": [{"parts": [{"text": text}]}]}
    items = [{"request": request, "metadata": {"key": "k", "state": "ACTIVE"}}]
    return {"batch": {"displayName": "d", "inputConfig": {"requests": {"requests": items}}}}


def bare(world: World, **headers: str) -> httpx.Client:
    """A client that sends only these headers, and whose replies are not checked against a document."""
    return httpx.Client(transport=EmbeddedTransport(world.emulator), base_url="http://emulator:1", headers=headers)


def test_a_gzip_body_is_decompressed(world: World) -> None:
    content = json.dumps(batch("ü" * 100)).encode()
    halves = gzip.compress(content[:50]) + gzip.compress(content[50:])
    for packed in (gzip.compress(content), halves):
        job = world.ok("POST", CREATE, content=packed, headers=PACKED)
        assert job["metadata"]["batchStats"]["requestCount"] == "1"


def test_gzip_bytes_are_stored_in_objects_unchanged(tmp_path: Path) -> None:
    plane = Plane(tmp_path / "e.db")
    plane.ok("POST", "/storage/v1/b", params={"project": "p"}, json={"name": BUCKET})
    query = {"uploadType": "media", "name": "a"}
    plane.ok("POST", f"/upload{OBJECTS}", params=query, content=gzip.compress(b"bytes"), headers=PACKED)
    assert plane.read("a").content == b"bytes"


def test_rules_may_be_sent_with_gzip(world: World) -> None:
    rules = [{"fate": "fail"}]
    packed = gzip.compress(json.dumps(rules).encode())
    assert world.http.put("/_emulator/rules", content=packed, headers=PACKED).json() == rules


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "is not in the gzip format"),
        (gzip.compress(b"{}" * 40, mtime=0)[:-9], "ends in the middle"),
        (gzip.compress(b"{}", mtime=0) + b"more", "is not in the gzip format"),
    ],
)
def test_an_invalid_gzip_body_is_refused(world: World, content: bytes, words: str) -> None:
    assert words in world.refused(400, "POST", CREATE, content=content, headers=PACKED)["message"]


def test_the_limit_applies_to_the_decompressed_size(tmp_path: Path) -> None:
    world = World(tmp_path / "small.db", settings=Settings(max_body=1000))
    packed = gzip.compress(json.dumps(batch("x" * 2000)).encode())
    assert len(packed) < 1000
    for verb, path in (("POST", CREATE), ("PUT", "/_emulator/rules")):
        error = world.refused(400, verb, path, content=packed, headers=PACKED)
        assert error["message"] == "Request payload size exceeds the limit: 1000 bytes."


def test_json_in_single_quotes_is_accepted(world: World) -> None:
    content = (
        "{'batch': {'displayName': 'it\\'s \"d\"', \"inputConfig\": {'requests': {'requests':"
        " [{'request': {'contents': [{'parts': [{\"text\": \"it's\\u0041\"}]}]}}]}}}}"
    )
    job = world.ok("POST", CREATE, content=content)
    assert job["metadata"]["displayName"] == 'it\'s "d"'
    world.pass_time("3s")
    [item] = world.inline_results(job)
    assert item["response"]["candidates"][0]["content"]["parts"][0]["text"].endswith("it'sA")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (r"""{'a': 'b\\'}""", r"""{"a": "b\\"}"""),
        (r"""["\"'", 'x\n']""", r"""["\"'", "x\n"]"""),
        (r"""['say \"x\"']""", r"""["say \"x\""]"""),
        (r"""["it\'s \x"]""", r"""["it's x"]"""),
        ("[1, 2,\n]", "[1, 2\n]"),
        ("{a: {}, $b_1: [],}", '{"a": {}, "$b_1": []}'),
        ('{"a: 1,}": ",]", b : "c:"}', '{"a: 1,}": ",]", "b" : "c:"}'),
    ],
)
def test_strict_json_is_unchanged(text: str, wanted: str) -> None:
    assert as_strict_json(text) == wanted
    json.loads(wanted)


def test_lenient_json_is_accepted(world: World) -> None:
    content = """{batch: {"displayName": 'd', inputConfig: {requests: {requests: [
        {request: {contents: [{parts: [{text: 'two
lines'},]},],},},
    ]}},},}"""
    job = world.ok("POST", CREATE, content=content)
    world.pass_time("3s")
    [item] = world.inline_results(job)
    assert item["response"]["candidates"][0]["content"]["parts"][0]["text"].endswith("two\nlines")


@pytest.mark.parametrize(
    "content",
    [
        "{'a: 1}",
        "{'a' 1}",
        "nonsense",
        "[,]",
        "[1,,]",
        "{,}",
        "{a b: 1}",
        "{a-b: 1}",
        "{1: 1}",
        "[a]",
        '"',
        "'x\\'",
        '"\\',
    ],
)
def test_invalid_lenient_json_is_refused(world: World, content: str) -> None:
    message = world.refused(400, "POST", CREATE, content=content)["message"]
    assert message.startswith("Invalid JSON payload received. "), message
    with pytest.raises(ValueError, match=r"line 1"):
        json.loads(as_strict_json(content))


@pytest.mark.parametrize("text", ["a" * 4_000_000, "[" + "," * 4_000_000, "{" + " " * 4_000_000, ", " * 2_000_000])
def test_long_invalid_json_is_refused_quickly(world: World, text: str) -> None:
    assert world.refused(400, "POST", CREATE, content=text)["message"].startswith("Invalid JSON payload received.")


@pytest.mark.parametrize(
    "text", ["'\"" + '\\"' * 1_000_000, "\"'" + "\\'" * 1_000_000 + "\\", "'" * 1_000_001, "'" + "x" * 4_000_000]
)
def test_an_unterminated_string_is_refused_quickly(world: World, text: str) -> None:
    assert world.refused(400, "POST", CREATE, content=text)["message"].startswith("Invalid JSON payload received.")


def test_a_token_may_be_in_the_query(vertex: Vertex) -> None:
    client = bare(vertex)
    for path in (JOBS, "/storage/v1/b/in/o", "/bigquery/v2/projects/p/datasets", "/v1beta/batches"):
        assert client.get(path, params={"access_token": "t"}).status_code == 200
        for token in ("", "expired-1"):
            assert client.get(path, params={"access_token": token}).status_code == 401, (path, token)


def test_the_developer_api_accepts_a_token_in_place_of_a_key(world: World) -> None:
    assert bare(world, authorization="Bearer t").get("/v1beta/batches").status_code == 200
    assert bare(world, authorization="Basic t").get("/v1beta/batches").status_code == 401
    assert bare(world).get("/v1beta/batches").status_code == 403


def test_enums_are_numbers_on_request(vertex: Vertex) -> None:
    job = vertex.make(labels={"state": "job_state_pending"})
    client = bare(vertex, authorization="Bearer t")
    vertex.pass_time("5s")
    found = client.get(f"/v1/{job['name']}", params=NUMBERS).json()
    assert (found["state"], found["labels"]) == (4, {"state": "job_state_pending"})
    assert client.get(JOBS, params=NUMBERS).json()["batchPredictionJobs"][0]["state"] == 4
    assert client.post(JOBS, params=NUMBERS, json=body()).json()["state"] == 2


def test_the_developer_api_has_numbers_too_but_not_in_row_metadata(world: World) -> None:
    job = world.ok("POST", CREATE, json=batch())
    world.pass_time("3s")
    found = world.get(job, **NUMBERS)
    [item] = found["response"]["inlinedResponses"]["inlinedResponses"]
    assert found["metadata"]["state"] == 3
    assert item["metadata"] == {"key": "k", "state": "ACTIVE"}
    assert item["response"]["candidates"][0]["finishReason"] == 1
    file = world.upload(b"{}")
    assert world.ok("GET", f"/v1/{file['name']}", params=NUMBERS)["state"] == 2


def test_operations_are_available_below_ui(vertex: Vertex) -> None:
    job = vertex.make()
    vertex.end(job)
    operation = vertex.ok("DELETE", f"/v1/{job['name']}")
    assert vertex.ok("GET", f"/ui/{operation['name']}") == operation


def test_storage_is_available_below_b(tmp_path: Path) -> None:
    plane = Plane(tmp_path / "e.db")
    plane.ok("POST", "/b", params={"project": "p"}, json={"name": BUCKET})
    plane.put("x/y", b"bytes")
    assert [item["name"] for item in plane.ok("GET", f"/b/{BUCKET}/o")["items"]] == ["x/y"]
    assert plane.http.get(f"/b/{BUCKET}/o/x%2Fy", params={"alt": "media"}).content == b"bytes"
    assert plane.http.delete(f"/b/{BUCKET}/o/x%2Fy").status_code == 204


def test_a_setting_allows_anonymous_reads_of_storage(tmp_path: Path) -> None:
    plane = Plane(tmp_path / "e.db")
    plane.ok("POST", "/storage/v1/b", params={"project": "p"}, json={"name": BUCKET})
    plane.put("x", b"bytes")
    reads = [f"/storage/v1/b/{BUCKET}", OBJECTS, f"{OBJECTS}/x", f"{OBJECTS}/x?alt=media"]
    client = bare(plane)
    assert [client.get(path).status_code for path in reads] == [401] * 4
    client.put("/_emulator/seed", content=b"settings: {anonymousReads: allow}").raise_for_status()
    assert [client.get(path).status_code for path in reads] == [200] * 4
    assert client.get(OBJECTS, headers={"authorization": "Bearer expired"}).status_code == 401
    assert client.delete(f"{OBJECTS}/x").status_code == 401
    assert client.post("/storage/v1/b", params={"project": "p"}, json={"name": "other"}).status_code == 401
    assert client.get("/bigquery/v2/projects/p/datasets").status_code == 401


def test_a_setting_allows_anonymous_writes_to_storage(tmp_path: Path) -> None:
    client = bare(Plane(tmp_path / "e.db"))
    client.put("/_emulator/settings", json={"anonymousWrites": "allow"}).raise_for_status()
    assert client.post("/b", params={"project": "p"}, json={"name": BUCKET}).status_code == 200
    for kind in ("media", "resumable"):
        reply = client.post(f"/upload{OBJECTS}", params={"uploadType": kind, "name": kind}, content=b"")
        assert reply.status_code == 200
    assert client.get(f"{OBJECTS}/media").status_code == 401
    assert client.delete(f"{OBJECTS}/media", headers={"authorization": "Bearer expired"}).status_code == 401
    assert client.delete(f"{OBJECTS}/media").status_code == 204
    assert client.post("/bigquery/v2/projects/p/datasets", json={}).status_code == 401
