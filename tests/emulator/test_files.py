from __future__ import annotations

import base64
import hashlib
import json

import pytest

from batchctl.emulator.settings import Settings
from tests.support.embedded_emulator import World

ROW = b'{"key":"a","request":{"contents":[{"parts":[{"text":"x"}]}]}}\n'


def test_an_uploaded_file_is_described(world: World) -> None:
    file = world.upload(b"abc\n", name="files/in-1", display_name="d")
    assert file == {
        "name": "files/in-1",
        "displayName": "d",
        "mimeType": "jsonl",
        "sizeBytes": "4",
        "createTime": "2026-03-01T12:00:00.000000000Z",
        "updateTime": "2026-03-01T12:00:00.000000000Z",
        "expirationTime": "2026-03-03T12:00:00.000000000Z",
        "sha256Hash": base64.b64encode(hashlib.sha256(b"abc\n").hexdigest().encode()).decode(),
        "uri": "http://emulator:1/v1beta/files/in-1",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }
    assert world.ok("GET", "/v1beta/files/in-1") == file


def test_chunks_need_no_key(world: World) -> None:
    content = ROW * 3
    url = world.start_upload(len(content))
    assert url.startswith("http://emulator:1/upload/v1beta/files?upload_id=")
    assert url.endswith("&upload_protocol=resumable")
    first = world.send(url, content[:50], 0, "upload")
    assert (first.status_code, first.headers["x-goog-upload-status"]) == (200, "active")
    query = world.send(url, b"", 0, "query")
    assert query.headers["x-goog-upload-status"] == "active"
    assert query.headers["x-goog-upload-size-received"] == "50"
    last = world.send(url, content[50:], 50)
    assert (last.status_code, last.headers["x-goog-upload-status"]) == (200, "final")
    file = last.json()["file"]
    assert file["sizeBytes"] == str(len(content))
    assert world.send(url, b"", 0, "query").headers["x-goog-upload-status"] == "final"
    job = world.create_from_file(file["name"])
    assert job["metadata"]["batchStats"]["requestCount"] == "3"


def test_finalize_may_be_a_call_of_its_own(world: World) -> None:
    url = world.start_upload()
    world.send(url, b"abc", 0, "upload")
    assert world.send(url, b"", 3, "finalize").json()["file"]["sizeBytes"] == "3"


def test_an_empty_file_can_be_uploaded(world: World) -> None:
    assert world.upload(b"")["sizeBytes"] == "0"


@pytest.mark.parametrize("offset", [0, 2, 4])
def test_a_wrong_offset_is_refused_and_changes_nothing(world: World, offset: int) -> None:
    url = world.start_upload(6)
    world.send(url, b"abc", 0, "upload")
    reply = world.send(url, b"def", offset)
    assert (reply.status_code, reply.headers["x-goog-upload-status"]) == (400, "active")
    assert "offset" in reply.json()["error"]["message"]
    assert world.send(url, b"def", 3).json()["file"]["sizeBytes"] == "6"


@pytest.mark.parametrize(("content", "command"), [(b"abcd", "upload"), (b"ab", "upload, finalize"), (b"abc", "jump")])
def test_chunks_of_a_wrong_size_are_refused(world: World, content: bytes, command: str) -> None:
    assert world.send(world.start_upload(3), content, 0, command).status_code == 400


def test_a_finalized_upload_accepts_no_more_bytes(world: World) -> None:
    url = world.start_upload()
    world.send(url, b"abc")
    again = world.send(url, b"abc")
    assert (again.status_code, again.headers["x-goog-upload-status"]) == (400, "final")


def test_an_unknown_session_is_not_found(world: World) -> None:
    assert world.send("/upload/v1beta/files?upload_id=none", b"x").status_code == 404


def test_a_start_needs_key_protocol_and_type(world: World) -> None:
    start = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    path = "/upload/v1beta/files"
    world.refused(403, "POST", path, headers={**start, "x-goog-api-key": ""})
    world.refused(400, "POST", path, headers={"x-goog-upload-protocol": "multipart"})
    world.refused(400, "POST", path, headers={"x-goog-upload-protocol": "resumable"})
    world.refused(400, "POST", path, headers=start)
    world.refused(
        400,
        "POST",
        path,
        headers={**start, "x-goog-upload-header-content-length": "x"},
        json={"file": {"mimeType": "a"}},
    )
    world.refused(400, "POST", path, headers=start, json={"file": {"mimeType": "a", "displayName": "x" * 513}})
    world.refused(400, "POST", path, headers=start, json={"file": {"mimeType": "a", "unknown": 1}})
    reply = world.http.post(path, headers={**start, "x-goog-upload-header-content-type": "text/plain"})
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_file_over_the_limit_is_refused(tmp_path) -> None:
    world = World(tmp_path / "e.db", Settings(max_file=3))
    world.refused(
        400,
        "POST",
        "/upload/v1beta/files",
        headers={"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"},
        json={"file": {"mimeType": "a", "sizeBytes": 4}},
    )
    assert world.send(world.start_upload(), b"abcd").status_code == 400
    assert world.send(world.start_upload(), b"abc").status_code == 200
    world.http.close()


@pytest.mark.parametrize("name", ["files/" + "a" * 41, "files/-a", "files/a-", "files/A", "files/a_b"])
def test_file_names_are_checked(world: World, name: str) -> None:
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    world.refused(400, "POST", "/upload/v1beta/files", headers=headers, json={"file": {"name": name, "mimeType": "a"}})


def test_an_existing_file_name_is_a_conflict(world: World) -> None:
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    body = {"file": {"name": "files/" + "a" * 40, "mimeType": "a"}}
    late = world.start_upload(1, name=body["file"]["name"])
    world.upload(b"x", name=body["file"]["name"])
    error = world.refused(409, "POST", "/upload/v1beta/files", headers=headers, json=body)
    assert error["status"] == "ALREADY_EXISTS"
    assert world.send(late, b"y").status_code == 409
    world.pass_time("48h")
    assert world.send(late, b"", 1, "finalize").json()["file"]["sizeBytes"] == "1"
    world.pass_time("48h")
    assert world.upload(b"yy", name=body["file"]["name"])["sizeBytes"] == "2"


def test_files_are_listed_newest_first_in_pages(world: World) -> None:
    assert world.ok("GET", "/v1beta/files") == {}
    names = [world.upload(b"x")["name"] for _ in range(12)]
    page = world.ok("GET", "/v1beta/files")
    assert len(page["files"]) == 10
    rest = world.ok("GET", "/v1beta/files", params={"pageToken": page["nextPageToken"]})
    assert [file["name"] for file in page["files"] + rest["files"]] == names[::-1]
    assert "nextPageToken" not in rest
    world.refused(400, "GET", "/v1beta/files", params={"pageToken": "x"})


def test_a_page_of_files_has_a_hundred_at_most(world: World) -> None:
    with world.emulator.store.transaction():
        for _ in range(101):
            world.upload(b"")
    assert len(world.ok("GET", "/v1beta/files", params={"pageSize": 1000})["files"]) == 100


def test_a_deleted_file_is_forbidden(world: World) -> None:
    file = world.upload(b"x", name="files/gone")
    assert world.ok("DELETE", f"/v1beta/{file['name']}") == {}
    for verb in ("GET", "DELETE"):
        error = world.refused(403, verb, "/v1beta/files/gone")
        assert error["message"] == "You do not have permission to access the File gone or it may not exist."
    assert world.ok("GET", "/v1beta/files") == {}


def test_a_file_expires_after_two_days_but_its_job_keeps_the_rows(world: World) -> None:
    world.rules({"running": "47h"})
    file = world.upload(ROW)
    world.pass_time("47h59m59s")
    job = world.create_from_file(file["name"])
    world.pass_time("1s")
    world.refused(403, "GET", f"/v1beta/{file['name']}")
    world.pass_time("47h")
    assert world.http.get(f"/v1beta/files/batch-{job['name'][8:]}:download?alt=media").status_code == 200


def test_bytes_are_kept_as_long_as_they_are_used(world: World) -> None:
    def kept() -> int:
        return world.emulator.store.rows("SELECT count(*) FROM pieces")[0][0]

    file = world.upload(ROW)
    world.ok("DELETE", f"/v1beta/{world.create_from_file(file['name'])['name']}")
    assert kept() == 1
    first, second = world.create_from_file(file["name"]), world.create_from_file(file["name"])
    world.ok("DELETE", f"/v1beta/{first['name']}")
    world.ok("DELETE", f"/v1beta/{file['name']}")
    assert kept() == 1
    world.ok("DELETE", f"/v1beta/{second['name']}")
    assert kept() == 0
    world.upload(ROW)
    world.pass_time("48h")
    world.start_upload()
    assert kept() == 0


def test_result_files_can_be_downloaded_but_have_no_resource(world: World) -> None:
    job = world.create_from_file(world.upload(ROW)["name"])
    short = f"batch-{job['name'].removeprefix('batches/')}"
    world.refused(403, "GET", f"/v1beta/files/{short}:download", params={"alt": "media"})
    world.finish(job)
    for verb in ("GET", "DELETE"):
        error = world.refused(400, verb, f"/v1beta/files/{short}")
        assert error["message"] == f"File ID {short} cannot be more than 40 characters."
    replies = [
        world.http.get(f"{prefix}/v1beta/files/{short}:download", params={"alt": "media"})
        for prefix in ("", "/download")
    ]
    assert replies[0].content == replies[1].content
    assert json.loads(replies[0].content)["key"] == "a"
    assert world.ok("GET", f"/v1beta/files/{short}:download") == {}
    world.ok("DELETE", f"/v1beta/{job['name']}")
    world.refused(403, "GET", f"/v1beta/files/{short}:download", params={"alt": "media"})


def test_an_uploaded_file_cannot_be_downloaded(world: World) -> None:
    file = world.upload(ROW)
    assert (
        "uploaded" in world.refused(400, "GET", f"/v1beta/{file['name']}:download", params={"alt": "media"})["message"]
    )
    world.refused(403, "GET", "/v1beta/files/none:download", params={"alt": "media"})
    world.refused(403, "GET", f"/v1beta/files/batch-{'a' * 36}:download", params={"alt": "media"})


def test_an_inline_job_has_no_result_file(world: World) -> None:
    job = world.create()
    world.finish(job)
    world.refused(403, "GET", f"/v1beta/files/batch-{job['name'][8:]}:download", params={"alt": "media"})


def test_a_result_file_may_appear_after_the_state(tmp_path) -> None:
    world = World(tmp_path / "e.db", Settings(result_file_lag=5 * 10**9))
    job = world.create_from_file(world.upload(ROW)["name"])
    assert world.finish(job)["done"] is True
    path = f"/v1beta/files/batch-{job['name'][8:]}:download?alt=media"
    assert world.http.get(path).status_code == 403
    world.pass_time("5s")
    assert world.http.get(path).status_code == 200
    world.http.close()


def test_a_file_is_processed_before_a_job_can_use_it(tmp_path) -> None:
    world = World(tmp_path / "e.db", Settings(file_processing=60 * 10**9))
    file = world.upload(ROW)
    assert file["state"] == "PROCESSING"
    body = {"batch": {"inputConfig": {"fileName": file["name"]}}}
    error = world.refused(400, "POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent", json=body)
    assert error["status"] == "FAILED_PRECONDITION"
    assert "not in an ACTIVE state" in error["message"]
    world.pass_time("1m")
    assert world.ok("GET", f"/v1/{file['name']}")["state"] == "ACTIVE"
    world.create_from_file(file["name"])


def test_the_file_storage_quota_is_enforced(tmp_path) -> None:
    world = World(tmp_path / "e.db", Settings(file_storage=len(ROW)))
    file = world.upload(ROW)
    with pytest.raises(AssertionError, match="file storage quota"):
        world.upload(ROW)
    world.ok("DELETE", f"/v1/{file['name']}")
    world.upload(ROW)
