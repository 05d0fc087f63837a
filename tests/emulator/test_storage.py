from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google_crc32c
import httpx
import pytest

from batchctl.emulator.core import METHODS
from batchctl.emulator.storage.crc32c import crc32c
from batchctl.emulator.storage.objects import add_bucket, find_bucket, find_object, match_objects, put_object
from tests.support.cloud_calls import BUCKET, OBJECTS, UPLOAD, Plane, object_path

NOW = 1_772_366_400_000_000_000
BUCKETS = "/storage/v1/b"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Plane]:
    world = Plane(tmp_path / "emulator.db")
    add_bucket(world.emulator.store, BUCKET, "p", NOW)
    yield world
    world.http.close()


@pytest.mark.parametrize("size", [0, 1, 3, 4096, 4097, 4100, 4103, 70_001, 1_048_576])
def test_the_checksum_is_the_one_that_others_compute(size: int) -> None:
    data = bytes((index * 7919 + index // 251) & 0xFF for index in range(size))
    assert crc32c(data) == google_crc32c.value(data)
    middle = size // 3
    assert crc32c(data[middle:], crc32c(data[:middle])) == google_crc32c.value(data)


def test_an_object_resource_has_all_members_that_clients_read(world: Plane) -> None:
    put = world.put("in/a b.jsonl", b"123456789")
    assert put == world.ok("GET", object_path("in/a b.jsonl"))
    assert put == {
        "kind": "storage#object",
        "id": "demo/in/a b.jsonl/1772366400000000",
        "selfLink": "http://emulator:1/storage/v1/b/demo/o/in%2Fa%20b.jsonl",
        "mediaLink": "http://emulator:1/download/storage/v1/b/demo/o/in%2Fa%20b.jsonl"
        "?generation=1772366400000000&alt=media",
        "name": "in/a b.jsonl",
        "bucket": "demo",
        "generation": "1772366400000000",
        "metageneration": "1",
        "contentType": "text/plain",
        "storageClass": "STANDARD",
        "size": "9",
        "md5Hash": "JfnnlDI7RTiF9RgfG2JNCw==",
        "crc32c": "4waSgw==",
        "etag": put["etag"],
        "timeCreated": "2026-03-01T12:00:00.000Z",
        "updated": "2026-03-01T12:00:00.000Z",
        "timeStorageClassUpdated": "2026-03-01T12:00:00.000Z",
    }


def test_bytes_come_with_their_checksums(world: Plane) -> None:
    put = world.put("a", b"123456789")
    for reply in (world.read("a"), world.http.get(put["mediaLink"])):
        assert (reply.status_code, reply.content) == (200, b"123456789")
        assert reply.headers["x-goog-hash"] == "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw=="
        assert reply.headers["x-goog-generation"] == put["generation"]
        assert reply.headers["etag"] == put["etag"]
        assert reply.headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=2-5", 206, b"2345", "bytes 2-5/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=7-99", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=10-", 416, None, None),
        ("bytes=-0", 416, None, None),
    ],
)
def test_ranges(world: Plane, asked: str, status: int, content: bytes | None, told: str | None) -> None:
    world.put("a", b"0123456789")
    reply = world.read("a", range=asked)
    assert reply.status_code == status
    assert content is None or reply.content == content
    assert reply.headers.get("content-range") == told


def test_a_range_may_cross_the_stored_pieces(world: Plane) -> None:
    content = bytes(index % 251 for index in range(3_000_000))
    world.put("big", content)
    whole = world.read("big")
    assert whole.content == content
    assert whole.headers["content-length"] == "3000000"
    assert world.read("big", range="bytes=1048570-2097160").content == content[1048570:2097161]


def test_missing_buckets_and_objects_are_not_found(world: Plane) -> None:
    message = "The specified bucket does not exist."
    for path in (f"{BUCKETS}/none", f"{BUCKETS}/none/o", f"{BUCKETS}/none/o/a"):
        assert world.refused(404, "GET", path) == {
            "code": 404,
            "message": message,
            "errors": [{"message": message, "domain": "global", "reason": "notFound"}],
        }
    world.refused(404, "POST", "/upload/storage/v1/b/none/o?uploadType=media&name=a")
    assert world.refused(404, "GET", object_path("x/y"))["message"] == "No such object: demo/x/y"
    world.refused(404, "DELETE", object_path("x"))
    put = world.put("a", b"x")
    world.ok("GET", object_path("a"), params={"generation": put["generation"]})
    world.refused(404, "GET", object_path("a"), params={"generation": "1"})
    world.refused(400, "GET", object_path("a"), params={"generation": "new"})


def test_a_call_without_a_token_is_unauthorized(world: Plane) -> None:
    del world.http.headers["authorization"]
    for method, path in (("GET", OBJECTS), ("POST", UPLOAD), ("GET", object_path("a")), ("DELETE", f"{BUCKETS}/demo")):
        world.refused(401, method, path)


def test_deleting(world: Plane) -> None:
    put = world.put("a", b"x")
    blob = find_object(world.emulator.store, BUCKET, "a").blob
    assert world.http.delete(object_path("a")).status_code == 204
    world.refused(404, "GET", object_path("a"))
    assert list(world.emulator.store.read(blob)) == []
    assert int(world.put("a", b"x")["generation"]) > int(put["generation"])


def test_replacing_an_object_frees_its_bytes(world: Plane) -> None:
    world.put("a", b"first")
    blob = find_object(world.emulator.store, BUCKET, "a").blob
    world.put("a", b"second")
    assert world.read("a").content == b"second"
    assert list(world.emulator.store.read(blob)) == []


NAMES = ("a", "b/1", "b/2", "b/c/3", "b0", "ça/4", "d")


@pytest.fixture
def filled(world: Plane) -> Plane:
    for name in reversed(NAMES):
        world.put(name, b"x")
    return world


@pytest.mark.parametrize(
    ("params", "items", "prefixes"),
    [
        ({}, ["a", "b/1", "b/2", "b/c/3", "b0", "d", "ça/4"], None),
        ({"prefix": "b"}, ["b/1", "b/2", "b/c/3", "b0"], None),
        ({"prefix": "b/"}, ["b/1", "b/2", "b/c/3"], None),
        ({"prefix": "x"}, None, None),
        ({"delimiter": "/"}, ["a", "b0", "d"], ["b/", "ça/"]),
        ({"delimiter": "/", "prefix": "b/"}, ["b/1", "b/2"], ["b/c/"]),
        ({"delimiter": "/", "prefix": "b"}, ["b0"], ["b/"]),
        ({"delimiter": "/c/"}, ["a", "b/1", "b/2", "b0", "d", "ça/4"], ["b/c/"]),
        ({"startOffset": "b/2", "endOffset": "d"}, ["b/2", "b/c/3", "b0"], None),
        ({"startOffset": "a", "prefix": "b/"}, ["b/1", "b/2", "b/c/3"], None),
        ({"startOffset": "e", "prefix": "b/"}, None, None),
        ({"versions": "true", "projection": "noAcl", "prefix": "d"}, ["d"], None),
    ],
)
def test_lists(filled: Plane, params: dict[str, str], items: Any, prefixes: Any) -> None:
    reply = filled.ok("GET", OBJECTS, params=params)
    assert [item["name"] for item in reply["items"]] == items if items else "items" not in reply
    assert reply.get("prefixes") == prefixes
    assert reply["kind"] == "storage#objects"
    assert "nextPageToken" not in reply


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("params", [{}, {"delimiter": "/"}, {"prefix": "b", "delimiter": "/"}])
def test_pages_cover_the_list(filled: Plane, size: int, params: dict[str, str]) -> None:
    whole = filled.ok("GET", OBJECTS, params=params)
    items, prefixes, token = [], [], ""
    while True:
        page = filled.ok("GET", OBJECTS, params={**params, "maxResults": size, "pageToken": token})
        found = [*page.get("items", []), *page.get("prefixes", [])]
        items += page.get("items", [])
        prefixes += page.get("prefixes", [])
        token = page.get("nextPageToken")
        if token is None:
            break
        assert len(found) == size
    assert items == whole["items"]
    assert prefixes == whole.get("prefixes", [])


def test_a_list_longer_than_a_page(world: Plane) -> None:
    for index in range(1003):
        put_object(world.emulator.store, BUCKET, f"{index:04}", [b""], "text/plain", NOW)
    first = world.ok("GET", OBJECTS)
    assert len(first["items"]) == 1000
    assert world.names(pageToken=first["nextPageToken"]) == ["1000", "1001", "1002"]
    # More than the rows that are read from the store at once.
    assert world.names(startOffset="0001", pageToken=first["nextPageToken"], maxResults=2) == ["1000", "1001"]


def test_a_list_is_cut_to_its_fields(filled: Plane) -> None:
    reply = filled.ok("GET", OBJECTS, params={"fields": "items(name,size),nextPageToken", "maxResults": 1})
    assert reply["items"] == [{"name": "a", "size": "1"}]
    assert set(reply) == {"items", "nextPageToken"}


@pytest.mark.parametrize("params", [{"pageToken": "!"}, {"pageToken": "gA=="}, {"maxResults": "-1"}])
def test_invalid_list_parameters_are_refused(world: Plane, params: dict[str, str]) -> None:
    error = world.refused(400, "GET", OBJECTS, params=params)
    assert error["errors"][0]["reason"] == "invalid"


def test_buckets_are_created_listed_and_deleted(world: Plane) -> None:
    made = world.ok("POST", f"{BUCKETS}?project=p", json={"name": "second", "location": "eu"})
    assert (made["location"], made["metageneration"]) == ("EU", "1")
    assert world.ok("GET", f"{BUCKETS}/second") == made
    world.ok("POST", f"{BUCKETS}?project=q", json={"name": "of-q"})
    assert (
        world.refused(409, "POST", f"{BUCKETS}?project=p", json={"name": "of-q"})["errors"][0]["reason"] == "conflict"
    )
    first = world.ok("GET", BUCKETS, params={"project": "p", "maxResults": 1})
    assert [item["name"] for item in first["items"]] == ["demo"]
    rest = world.ok("GET", BUCKETS, params={"project": "p", "pageToken": first["nextPageToken"]})
    assert rest == {"kind": "storage#buckets", "items": [made]}
    assert world.ok("GET", BUCKETS, params={"project": "p", "prefix": "x"}) == {"kind": "storage#buckets"}
    world.put("a", b"x")
    world.refused(409, "DELETE", f"{BUCKETS}/demo")
    assert world.http.delete(f"{BUCKETS}/second").status_code == 204
    world.refused(404, "GET", f"{BUCKETS}/second")


@pytest.mark.parametrize(
    ("query", "body"),
    [("", {"name": "abc"}), ("?project=p", {}), ("?project=p", {"name": "No"}), ("?project=p", {"name": 3})],
)
def test_invalid_buckets_are_refused(world: Plane, query: str, body: Any) -> None:
    world.refused(400, "POST", f"{BUCKETS}{query}", json=body)
    world.refused(400, "GET", BUCKETS)


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("gs://demo/a", ["a"]),
        ("gs://demo/b", []),
        ("gs://demo/*", ["a", "b0", "d"]),
        ("gs://demo/b/*", ["b/1", "b/2"]),
        ("gs://demo/b*", ["b0"]),
        ("gs://demo/b/**", ["b/1", "b/2", "b/c/3"]),
        ("gs://demo/**3", ["b/c/3"]),
        ("gs://demo/*/1", ["b/1"]),
        ("gs://none/*", []),
        ("gs://demo", []),
        ("gs://demo/", []),
        ("bq://p.d.t", []),
    ],
)
def test_uris_with_and_without_stars(filled: Plane, uri: str, names: list[str]) -> None:
    assert [item.name for item in match_objects(filled.emulator.store, uri)] == names


def test_objects_may_be_put_without_a_call(world: Plane) -> None:
    store = world.emulator.store
    item = put_object(store, BUCKET, "out/p.jsonl", (part for part in (b"one\n", b"two\n")), "application/jsonl", NOW)
    assert item == find_object(store, BUCKET, "out/p.jsonl")
    assert (item.size, item.content_type) == (8, "application/jsonl")
    assert world.read("out/p.jsonl").content == b"one\ntwo\n"
    assert find_bucket(store, BUCKET).project == "p"
    assert find_bucket(store, "none") is None


def test_a_reset_deletes_buckets_and_objects(world: Plane) -> None:
    world.put("a", b"x")
    world.ok("POST", "/_emulator/reset")
    world.refused(404, "GET", f"{BUCKETS}/demo")
    assert world.emulator.store.rows("SELECT * FROM objects") == []


def test_calls_are_counted_by_their_names(world: Plane) -> None:
    world.put("a", b"x")
    world.names()
    world.read("a")
    assert world.ok("GET", "/_emulator/requests")["byMethod"] == {
        "storage.objects.insert": 1,
        "storage.objects.list": 1,
        "storage.objects.get": 1,
    }
    assert {name for name in METHODS if name.startswith("storage.")} == {
        *(
            f"storage.objects.{name}"
            for name in ["insert", "upload", "list", "get", "delete", "patch", "rewrite", "copy", "compose"]
        ),
        *(f"storage.buckets.{name}" for name in ["insert", "list", "get", "delete"]),
    }


def test_faults_hit_storage_too(world: Plane) -> None:
    world.faults({"method": "storage.objects.insert", "kind": "cut", "when": "after", "count": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        world.put("a", b"x", ifGenerationMatch=0)
    world.refused(412, "POST", f"{UPLOAD}?uploadType=media&name=a&ifGenerationMatch=0", content=b"x")
    assert world.read("a").content == b"x"
