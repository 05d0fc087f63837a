"""Uploads by other protocols than the resumable one of the Files API."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.emulator.settings import Settings
from tests.support.cloud_calls import related
from tests.support.embedded_emulator import World

ROW = b'{"key":"a","request":{"contents":[{"parts":[{"text":"x"}]}]}}\n'
PATH = "/upload/v1beta/files"
RAW, MULTIPART = {"x-goog-upload-protocol": "raw"}, {"x-goog-upload-protocol": "multipart"}
SAID = {"file": {"display_name": "in", "name": "files/in"}}


def form(said: str = '{"file": {"displayName": "in"}}') -> dict[str, Any]:
    """A form as sent by `curl -F` and browsers."""
    return {"files": {"metadata": (None, said, "application/json"), "file": ("in.jsonl", ROW, "application/jsonl")}}


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({}, RAW),
        ({"uploadType": "media"}, {}),
        ({"uploadType": "media"}, RAW),
        ({}, {**RAW, "content-type": "x/y", "x-goog-upload-header-content-type": "application/jsonl"}),
    ],
)
def test_an_upload_of_bytes_alone(world: World, query: dict[str, str], headers: dict[str, str]) -> None:
    named = {"content-type": "application/jsonl", **headers}
    reply = world.http.post(PATH, params=query, content=ROW, headers=named)
    assert (reply.status_code, reply.headers["x-goog-upload-status"]) == (200, "final")
    file = reply.json()["file"]
    assert (file["mimeType"], file["sizeBytes"], file["state"]) == ("application/jsonl", str(len(ROW)), "ACTIVE")
    assert base64.b64decode(file["sha256Hash"]).decode() == hashlib.sha256(ROW).hexdigest()
    assert world.create_from_file(file["name"])["metadata"]["batchStats"]["requestCount"] == "1"
    assert world.ok("GET", "/_emulator/requests")["byMethod"]["files.create"] == 1


def test_a_multipart_upload_with_metadata(world: World) -> None:
    sent = related(SAID, ROW, "application/jsonl")
    for query, more in (({}, MULTIPART), ({"uploadType": "multipart"}, {})):
        reply = world.http.post(PATH, params=query, content=sent["content"], headers={**sent["headers"], **more})
        file = reply.json()["file"]
        assert (file["name"], file["displayName"], file["mimeType"]) == ("files/in", "in", "application/jsonl")
        assert file["sizeBytes"] == str(len(ROW))
        world.ok("DELETE", "/v1beta/files/in")


def test_a_form_with_two_fields(world: World) -> None:
    for query, more in (({}, MULTIPART), ({"uploadType": "multipart"}, {})):
        file = world.ok("POST", PATH, params=query, headers=more, **form())["file"]
        assert (file["displayName"], file["mimeType"], file["sizeBytes"]) == ("in", "application/jsonl", str(len(ROW)))


def test_a_form_is_no_upload_to_cloud_storage(world: World) -> None:
    headers = {"authorization": "Bearer t"}
    world.ok("POST", "/storage/v1/b", params={"project": "p"}, json={"name": "demo"}, headers=headers)
    path = "/upload/storage/v1/b/demo/o?uploadType=multipart&name=a"
    world.refused(400, "POST", path, headers=headers, **form())


def test_a_session_with_a_location(world: World) -> None:
    headers = {"x-upload-content-type": "application/jsonl", "x-upload-content-length": str(len(ROW))}
    started = world.http.post(PATH, params={"uploadType": "resumable"}, json=SAID, headers=headers)
    assert (started.status_code, started.content) == (200, b"")
    client = httpx.Client(transport=world.http._transport)  # the address is enough
    url = started.headers["location"]
    asked = client.put(url, headers={"content-range": "bytes */*"})
    assert (asked.status_code, asked.headers.get("range")) == (308, None)
    put = client.put(url, content=ROW, headers={"content-range": f"bytes 0-{len(ROW) - 1}/{len(ROW)}"})
    file = put.json()["file"]
    assert (file["name"], file["displayName"], file["mimeType"]) == ("files/in", "in", "application/jsonl")
    assert client.put(url, headers={"content-range": "bytes */*"}).json() == put.json()
    assert world.ok("GET", "/v1beta/files/in") == file


def test_a_session_whose_file_name_is_taken_before_its_end(world: World) -> None:
    query, headers = {"uploadType": "resumable"}, {"x-upload-content-type": "jsonl"}
    one, other = (world.http.post(PATH, params=query, json=SAID, headers=headers).headers["location"] for _ in "12")
    assert world.http.put(one, content=b"x").status_code == 200
    assert world.http.put(other, content=b"x").status_code == 409


def test_the_files_protocol_has_precedence(world: World) -> None:
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    query = {"uploadType": "resumable"}
    reply = world.http.post(PATH, params=query, json={"file": {"mimeType": "jsonl"}}, headers=headers)
    assert "location" not in reply.headers
    assert world.send(reply.headers["x-goog-upload-url"], ROW).json()["file"]["mimeType"] == "jsonl"


@pytest.mark.parametrize("what", ["raw", "multipart", "resumable"])
def test_all_protocols_check_the_file(tmp_path: Path, what: str) -> None:
    world = World(tmp_path / "small.db", settings=Settings(max_file=300, file_storage=100))

    def send(size: int, content_type: str, name: str = "in") -> int:
        said = {"file": {"name": f"files/{name}"}}
        if what == "raw":
            content, headers = b"x" * size, {**RAW, "content-type": content_type}
        elif what == "multipart":
            sent = related(said, b"x" * size, content_type)
            content, headers = sent["content"], {**MULTIPART, **sent["headers"]}
        else:
            query, headers = {"uploadType": "resumable"}, {"x-upload-content-type": content_type}
            started = world.http.post(PATH, params=query, json=said, headers=headers)
            if started.status_code != 200:
                return started.status_code
            return world.http.put(started.headers["location"], content=b"x" * size).status_code
        return world.http.post(PATH, content=content, headers=headers).status_code

    assert send(101, "text/plain") == 429
    assert send(1, "") == 400
    assert send(1, "bad/type") == 400
    assert send(400, "text/plain") == 400
    assert send(60, "text/plain") == 200
    if what != "raw":
        assert send(1, "text/plain") == 409
        assert send(1, "text/plain", "A") == 400
    assert send(60, "text/plain", "other") == 429
    assert world.emulator.store.rows("SELECT count(*) FROM files") == [(1,)]
    assert world.emulator.store.rows("SELECT count(DISTINCT blob) FROM pieces") == [(1,)]
    world.http.close()


def test_other_uploads_need_a_key(world: World) -> None:
    world.refused(403, "POST", PATH, headers={**RAW, "x-goog-api-key": ""}, content=b"x")
    world.refused(403, "POST", f"{PATH}?uploadType=resumable", headers={"x-goog-api-key": ""}, json=SAID)


@pytest.mark.parametrize("headers", [{}, {"x-goog-upload-protocol": "other"}, {"x-goog-upload-command": "start"}])
def test_an_upload_must_name_its_protocol(world: World, headers: dict[str, str]) -> None:
    assert "uploadType" in world.refused(400, "POST", PATH, headers=headers, content=ROW)["message"]


def test_an_upload_can_be_cancelled(world: World) -> None:
    url = world.start_upload(9)
    world.send(url, b"abc", 0, "upload")
    assert world.send(url, b"", 0, "upload, cancel").status_code == 400
    gone = world.send(url, b"", 0, "cancel")
    assert (gone.status_code, gone.headers["x-goog-upload-status"]) == (200, "cancelled")
    assert world.send(url, b"", 0, "query").status_code == 404
    assert world.emulator.store.rows("SELECT * FROM pieces") == []
    url = world.start_upload(1)
    world.send(url, b"a")
    assert world.send(url, b"", 0, "cancel").status_code == 400
