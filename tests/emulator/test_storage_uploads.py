from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.storage.objects import add_bucket
from tests.support.cloud_calls import BUCKET, OBJECTS, UNIT, UPLOAD, Plane, object_path, related

NOW = 1_772_366_400_000_000_000
MD5, CRC = "JfnnlDI7RTiF9RgfG2JNCw==", "4waSgw=="
"""Of 123456789."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Plane]:
    world = Plane(tmp_path / "emulator.db")
    add_bucket(world.emulator.store, BUCKET, "p", NOW)
    yield world
    world.http.close()


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_two_parts_in_one_body(world: Plane, newline: bytes) -> None:
    resource = {"name": "a", "metadata": {"k": "v"}, "cacheControl": "no-store", "bucket": "ignored", "id": 7}
    content = b"line\r\n\r\n--mar\n" + newline
    put = world.ok("POST", UPLOAD, **related(resource, content, newline=newline))
    assert (put["metadata"], put["cacheControl"], put["contentType"]) == ({"k": "v"}, "no-store", "text/plain")
    assert put["bucket"] == BUCKET
    reply = world.read("a")
    assert reply.content == content
    assert reply.headers["cache-control"] == "no-store"


def test_the_resources_type_comes_before_the_parts(world: Plane) -> None:
    put = world.ok("POST", UPLOAD, **related({"name": "a", "contentType": "x/y"}, b""))
    assert (put["contentType"], put["size"]) == ("x/y", "0")


def test_an_object_without_a_type_is_bytes(world: Plane) -> None:
    assert world.ok("POST", f"{UPLOAD}?uploadType=media&name=a")["contentType"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"--mark\r\n\r\n{}\r\n--mark\r\n\r\nx\r\n--mark--", "multipart/form-data; boundary=mark"),
        (b"--mark\r\n\r\n{}\r\n--mark\r\n\r\nx\r\n--mark--", "multipart/related"),
        (b"--mark\r\n\r\n{}\r\n--mark--", "multipart/related; boundary=mark"),
        (b"--mark\r\n\r\n{}\r\n--mark\r\n\r\nx", "multipart/related; boundary=mark"),
        (b"--mark\r\n{}\r\n--mark\r\n\r\nx\r\n--mark--", "multipart/related; boundary=mark"),
        (b"--mark\r\n\r\n[]\r\n--mark\r\n\r\nx\r\n--mark--", "multipart/related; boundary=mark"),
        (b"--mark\r\n\r\n{\r\n--mark\r\n\r\nx\r\n--mark--", "multipart/related; boundary=mark"),
        (b"", "multipart/related; boundary=mark"),
    ],
)
def test_malformed_multipart_bodies_are_refused(world: Plane, content: bytes, content_type: str) -> None:
    path = f"{UPLOAD}?uploadType=multipart&name=a"
    error = world.refused(400, "POST", path, content=content, headers={"content-type": content_type})
    assert error["errors"][0]["reason"] == "invalid"
    assert world.names() == []


@pytest.mark.parametrize(
    ("query", "resource"),
    [
        ("uploadType=multipart", {}),
        ("uploadType=multipart", {"name": ""}),
        ("uploadType=multipart", {"name": 3}),
        ("uploadType=multipart", {"name": "."}),
        ("uploadType=multipart", {"name": "a\nb"}),
        ("uploadType=multipart", {"name": "\ud800"}),
        ("uploadType=multipart", {"name": "x" * 1025}),
        ("uploadType=multipart", {"name": "a", "metadata": {"k": 1}}),
        ("uploadType=multipart", {"name": "a", "metadata": ["k"]}),
        ("uploadType=multipart", {"name": "a", "contentType": 1}),
        ("uploadType=multipart", {"name": "a", "contentType": "a\r\nb"}),
        ("uploadType=other&name=a", {}),
        ("name=a", {}),
    ],
)
def test_invalid_objects_are_refused(world: Plane, query: str, resource: Any) -> None:
    world.refused(400, "POST", f"{UPLOAD}?{query}", **{**related(resource, b""), "params": None})


CONDITIONS = [
    # parameter, value (a name stands for the object's own), whether an absent and a present object do
    ("ifGenerationMatch", "0", True, False),
    ("ifGenerationMatch", "own", False, True),
    ("ifGenerationMatch", "1", False, False),
    ("ifGenerationNotMatch", "0", False, True),
    ("ifGenerationNotMatch", "own", True, False),
    ("ifGenerationNotMatch", "1", True, True),
    ("ifMetagenerationMatch", "1", False, True),
    ("ifMetagenerationMatch", "2", False, False),
    ("ifMetagenerationNotMatch", "1", True, False),
    ("ifMetagenerationNotMatch", "2", True, True),
]


@pytest.mark.parametrize(("param", "value", "absent", "present"), CONDITIONS)
def test_conditions_of_puts_and_deletes(world: Plane, param: str, value: str, absent: bool, present: bool) -> None:
    put = world.put("there", b"old")
    params = {param: put["generation"] if value == "own" else value}
    for name, holds in (("not-there", absent), ("there", present)):
        query = {"uploadType": "media", "name": name, **params}
        reply = world.http.post(UPLOAD, params=query, content=b"new")
        assert reply.status_code == (200 if holds else 412)
        session = world.http.post(UPLOAD, params={**query, "uploadType": "resumable", "name": f"{name}-2"})
        assert session.status_code == (200 if absent else 412)
    assert world.read("there").content == (b"new" if present else b"old")
    put = world.put("there", b"again")
    params = {param: put["generation"] if value == "own" else value}
    assert world.http.delete(object_path("there"), params=params).status_code == (204 if present else 412)


@pytest.mark.parametrize(("param", "value", "_absent", "present"), CONDITIONS)
def test_conditions_of_reads(world: Plane, param: str, value: str, _absent: bool, present: bool) -> None:
    put = world.put("there", b"old")
    params = {param: put["generation"] if value == "own" else value}
    # An object that a reader has already is not modified; there is always one to read.
    bad = 304 if "Not" in param else 412
    for media in ({}, {"alt": "media"}):
        reply = world.http.get(object_path("there"), params={**params, **media})
        assert reply.status_code == (200 if present else bad)
        assert reply.status_code != 304 or reply.content == b""


def test_a_failed_condition_has_the_error_that_clients_read(world: Plane) -> None:
    world.put("a", b"x")
    error = world.refused(412, "POST", f"{UPLOAD}?uploadType=media&name=a&ifGenerationMatch=0")
    assert error["message"] == "At least one of the pre-conditions you specified did not hold."
    assert error["errors"][0] | {"message": ""} == {
        "message": "",
        "domain": "global",
        "reason": "conditionNotMet",
        "locationType": "header",
        "location": "If-Match",
    }
    assert "status" not in error
    world.refused(400, "POST", f"{UPLOAD}?uploadType=media&name=a&ifGenerationMatch=-1")


@pytest.mark.parametrize(
    ("resource", "header", "status"),
    [
        ({"md5Hash": MD5, "crc32c": CRC}, "", 200),
        ({}, f"crc32c={CRC},md5={MD5}", 200),
        ({"md5Hash": CRC}, "", 400),
        ({"crc32c": "AAAAAA=="}, "", 400),
        ({}, f"md5={CRC}", 400),
        ({}, "crc32c=AAAAAA==", 400),
    ],
)
def test_checksums_that_the_caller_sends(world: Plane, resource: dict[str, str], header: str, status: int) -> None:
    body = related({"name": "a", **resource}, b"123456789")
    body["headers"]["x-goog-hash"] = header
    reply = world.http.post(UPLOAD, **body)
    assert reply.status_code == status, reply.text
    assert world.names() == (["a"] if status == 200 else [])
    url = world.session(body={"name": "b", **resource})
    reply = world.piece(url, b"123456789", "bytes 0-8/9", **{"x-goog-hash": header})
    assert reply.status_code == status, reply.text
    assert ("b" in world.names()) == (status == 200)
    assert "doesn't match" in reply.text or status == 200


def test_a_session_piece_by_piece(world: Plane) -> None:
    content = bytes(index % 251 for index in range(2 * UNIT + 10))
    url = world.session(body={"name": "big/a", "metadata": {"k": "v"}}, headers={"x-upload-content-type": "x/y"})
    assert url.startswith("http://emulator:1/upload/storage/v1/b/demo/o?")
    del world.http.headers["authorization"]  # the address is enough
    asked = world.piece(url, b"", "bytes */*")
    assert (asked.status_code, asked.headers.get("range")) == (308, None)
    first = world.piece(url, content[:UNIT], f"bytes 0-{UNIT - 1}/*")
    assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{UNIT - 1}")
    assert "location" not in first.headers
    asked = world.piece(url, b"", f"bytes */{len(content)}")
    assert (asked.status_code, asked.headers["range"]) == (308, f"bytes=0-{UNIT - 1}")
    world.http.headers["authorization"] = "Bearer token"
    assert world.names() == []
    # The last bytes of the first piece are repeated, as after a lost reply.
    last = world.piece(url, content[10:], f"bytes 10-{len(content) - 1}/{len(content)}")
    assert last.status_code == 200
    put = last.json()
    assert (put["name"], put["metadata"], put["contentType"]) == ("big/a", {"k": "v"}, "x/y")
    assert world.read("big/a").content == content
    assert put == world.ok("GET", object_path("big/a"))
    for place in ("bytes */*", f"bytes */{len(content)}"):
        assert world.piece(url, b"", place).json() == put
    assert world.ok("GET", "/_emulator/requests")["byMethod"]["storage.objects.upload"] == 6


def test_a_session_in_one_piece(world: Plane) -> None:
    assert world.http.put(world.session(params={"name": "a"}), content=b"x").json()["size"] == "1"
    assert world.piece(world.session(params={"name": "b"}), b"xy", "bytes 0-1/2").json()["size"] == "2"
    assert world.piece(world.session(params={"name": "c"}), b"", "bytes */0").json()["size"] == "0"
    url = world.session(params={"name": "d"}, headers={"x-upload-content-length": "3"})
    assert world.piece(url, b"xyz", "bytes 0-2/*").json()["size"] == "3"
    assert world.names() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("place", ["bytes {}-*/*", "bytes {}-*/{total}"])
def test_a_piece_with_an_open_end_is_accepted(world: Plane, place: str) -> None:
    content = b"x" * UNIT + b"rest"
    total = len(content)
    put = world.piece(world.session(params={"name": "a"}), content, place.format(0, total=total)).json()
    assert put["size"] == str(total)
    url = world.session(params={"name": "b"})
    world.piece(url, content[:UNIT], f"bytes 0-{UNIT - 1}/*")
    assert world.piece(url, content[UNIT:], place.format(UNIT, total=total)).status_code == 200
    assert world.read("b").content == content


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"x", "bytes 0-0/*"),
        (b"x", "bytes 0-*/*"),
        (b"x", "bytes 0-*/2"),
        (b"x", "bytes 1-*/*"),
        (b"x" * UNIT, f"bytes 1-{UNIT}/*"),
        (b"xy", "bytes 0-0/9"),
        (b"xy", "bytes 0-1/1"),
        (b"x", "bytes */1"),
        (b"x", "0-0/1"),
        (b"xyzuv", "bytes 0-4/5"),
        (b"x" * 4 * UNIT, f"bytes 0-{4 * UNIT - 1}/*"),
    ],
)
def test_invalid_pieces_are_refused(world: Plane, content: bytes, place: str) -> None:
    url = world.session(params={"name": "a"}, headers={"x-upload-content-length": str(3 * UNIT)})
    error = world.piece(url, content, place).json()["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (400, "invalid")
    # The upload can continue.
    assert world.piece(url, b"", "bytes */*").status_code == 308
    assert world.piece(url, b"x" * 3 * UNIT, f"bytes 0-{3 * UNIT - 1}/{3 * UNIT}").status_code == 200


def test_a_session_can_be_cancelled(world: Plane) -> None:
    world.ok("POST", "/bigquery/v2/projects/p/datasets", json={"datasetReference": {"datasetId": "d"}})
    table = {"projectId": "p", "datasetId": "d", "tableId": "t"}
    load = {"configuration": {"load": {"destinationTable": table, "sourceFormat": "NEWLINE_DELIMITED_JSON"}}}
    said = {"file": {"mimeType": "jsonl"}}
    for url in (
        world.session(params={"name": "a"}),
        world.session("/upload/bigquery/v2/projects/p/jobs", load),
        world.session("/upload/v1beta/files", said, headers={"x-goog-api-key": "k"}),
    ):
        assert world.piece(url, b"x" * UNIT, f"bytes 0-{UNIT - 1}/*").status_code == 308
        assert world.http.delete(url).status_code == 499
        assert [world.http.delete(url).status_code, world.piece(url, b"", "bytes */*").status_code] == [404, 404]
    assert world.emulator.store.rows("SELECT * FROM pieces") == []
    url = world.session(params={"name": "a"})
    world.http.put(url, content=b"x")
    assert world.http.delete(url).status_code == 400
    assert world.read("a").content == b"x"


def test_missing_sessions_are_not_found(world: Plane) -> None:
    assert world.http.put(f"{UPLOAD}?upload_id=none").status_code == 404
    world.refused(404, "PUT", UPLOAD)
    world.refused(400, "POST", f"{UPLOAD}?uploadType=resumable&name=a", headers={"x-upload-content-length": "ten"})


def test_conditions_are_checked_again_at_the_end(world: Plane) -> None:
    one, other = (world.session(params={"name": "a", "ifGenerationMatch": "0"}) for _ in range(2))
    assert world.piece(one, b"one", "bytes 0-2/3").status_code == 200
    for _ in range(2):
        reply = world.piece(other, b"other", "bytes 0-4/5")
        assert (reply.status_code, reply.json()["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert world.read("a").content == b"one"


def test_a_bucket_that_is_deleted_during_an_upload(world: Plane) -> None:
    url = world.session(params={"name": "a"})
    world.http.delete(f"/storage/v1/b/{BUCKET}")
    assert world.piece(url, b"one", "bytes 0-2/3").status_code == 404


def test_a_refused_upload_leaves_no_object(world: Plane) -> None:
    url = world.session(body={"name": "a", "md5Hash": CRC})
    assert world.piece(url, b"123456789", "bytes 0-8/9").status_code == 400
    assert world.piece(url, b"", "bytes */*").status_code == 404
    assert world.emulator.store.rows("SELECT * FROM pieces") == []


def test_a_session_outlives_a_restart(world: Plane, tmp_path: Path) -> None:
    url = world.session(params={"name": "a"})
    world.piece(url, b"x" * UNIT, f"bytes 0-{UNIT - 1}/*")
    world.http.close()
    after = Plane(tmp_path / "emulator.db")
    assert after.piece(url, b"y", f"bytes {UNIT}-{UNIT}/{UNIT + 1}").json()["size"] == str(UNIT + 1)
    after.http.close()


def test_metadata_is_patched(world: Plane) -> None:
    world.ok("POST", UPLOAD, **related({"name": "a", "metadata": {"k": "v", "l": "w"}, "cacheControl": "x"}, b"1"))
    body = {"metadata": {"k": None, "m": "n"}, "cacheControl": None, "contentType": "x/y", "size": "7"}
    patched = world.ok("PATCH", object_path("a"), json=body, params={"ifMetagenerationMatch": "1"})
    assert (patched["metadata"], patched["contentType"], patched["size"]) == ({"l": "w", "m": "n"}, "x/y", "1")
    assert patched["metageneration"] == "2"
    assert "cacheControl" not in patched
    assert world.ok("GET", object_path("a")) == patched
    world.refused(412, "PATCH", object_path("a"), json={}, params={"ifMetagenerationMatch": "1"})
    assert "metadata" not in world.ok("PATCH", object_path("a"), json={"metadata": {"l": None, "m": None}})


def test_headers_contain_only_valid_characters(world: Plane) -> None:
    world.ok("POST", UPLOAD, **related({"name": "a", "contentDisposition": "inline; ☃"}, b"1"))
    assert world.read("a").headers["content-disposition"] == "inline; ?"


def test_copies(world: Plane) -> None:
    add_bucket(world.emulator.store, "other", "p", NOW)
    world.ok("POST", UPLOAD, **related({"name": "in/a", "metadata": {"k": "v"}}, b"bytes"))
    target = "b/other/o/out%2Fb"
    copy = world.ok("POST", f"{object_path('in/a')}/copyTo/{target}", params={"ifGenerationMatch": "0"})
    assert (copy["bucket"], copy["name"], copy["metadata"]) == ("other", "out/b", {"k": "v"})
    world.refused(412, "POST", f"{object_path('in/a')}/copyTo/{target}", params={"ifGenerationMatch": "0"})
    world.refused(412, "POST", f"{object_path('in/a')}/copyTo/{target}", params={"ifSourceGenerationMatch": "1"})
    world.refused(404, "POST", f"{object_path('none')}/copyTo/{target}")
    world.refused(404, "POST", f"{object_path('in/a')}/copyTo/b/none/o/b")
    done = world.ok("POST", f"{object_path('in/a')}/rewriteTo/{target}", json={"metadata": {"x": "y"}})
    assert (done["done"], done["objectSize"], done["resource"]["metadata"]) == (True, "5", {"x": "y"})
    assert done["resource"]["contentType"] == "text/plain"
    assert world.http.get("/storage/v1/b/other/o/out%2Fb?alt=media").content == b"bytes"


def test_composing(world: Plane) -> None:
    world.put("a", b"1")
    world.put("b", b"2")
    body = {"sourceObjects": [{"name": "b"}, {"name": "a"}, {"name": "b"}], "destination": {"metadata": {"k": "v"}}}
    made = world.ok("POST", f"{object_path('c')}/compose", json=body, params={"ifGenerationMatch": "0"})
    assert (made["metadata"], made["contentType"]) == ({"k": "v"}, "text/plain")
    assert world.read("c").content == b"212"
    world.refused(412, "POST", f"{object_path('c')}/compose", json=body, params={"ifGenerationMatch": "0"})
    world.refused(404, "POST", f"{object_path('c')}/compose", json={"sourceObjects": [{"name": "x"}]})
    for wrong in ({}, {"sourceObjects": 3}, {"sourceObjects": ["a"]}, {"sourceObjects": [{"name": "a"}] * 33}):
        world.refused(400, "POST", f"{object_path('c')}/compose", json=wrong)
    assert world.ok("GET", OBJECTS, params={"fields": "items/name"})["items"] == [{"name": name} for name in "abc"]
