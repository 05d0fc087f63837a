from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.providers.cloud import storage as storage_module
from batchctl.providers.cloud.addresses import ObjectPath, Table, object_path, parse_gs, parse_table, table_path
from batchctl.providers.cloud.storage import Storage, StoredObject
from batchctl.providers.credentials import ApiKey
from batchctl.providers.http.endpoint import Endpoint
from batchctl.providers.reply_times import ServerClock
from batchctl.providers.retry import Retry
from tests.support.long_mode import effort
from tests.support.raw_server import Loopback, answer
from tests.support.scripted_api import KEY, NOW, MovedClock, Script, reply, rpc_error
from tests.support.scripted_cloud import GCS, Bucket, endpoint, md5, precondition_failed, storage

UNIT = 256 * 1024
HERE = ObjectPath("b", "dir/x.jsonl")


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(storage_module, "CHUNK", 10)


# Names


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("gs://b", ObjectPath("b", "")),
        ("gs://b/", ObjectPath("b", "")),
        ("gs://my-bucket.example/a/b c/é.jsonl", ObjectPath("my-bucket.example", "a/b c/é.jsonl")),
        ("gs://b//x", ObjectPath("b", "/x")),
    ],
)
def test_addresses_of_objects(uri, found):
    assert parse_gs(uri) == found


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "",
            "b/x",
            "s3://b/x",
            "gs://",
            "gs:///x",
            "gs://../x",
            "gs://b?x/y",
            "gs://b%2f/y",
            "gs://-b/x",
            "gs://a b/x",
        ),
        *("gs://b/" + "é" * 513, "gs://b/\ud800", "gs://b/x\ny", "gs://b/\r", 5, None, ["gs://b/x"], {}),
    ],
)
def test_what_is_no_address_of_objects(uri):
    with pytest.raises(errors.BadRequest) as caught:
        parse_gs(uri)
    assert caught.value.code == "InvalidName"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_no_object_is_called_so(name):
    with pytest.raises(errors.BadRequest):
        object_path(ObjectPath("b", name))


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("bq://p.d.t", Table("p", "d", "t")),
        ("p.d.t", Table("p", "d", "t")),
        ("bq://example.com:proj-1.d_1.my table-ü", Table("example.com:proj-1", "d_1", "my table-ü")),
    ],
)
def test_addresses_of_tables(uri, found):
    assert parse_table(uri) == found
    assert parse_table(str(found)) == found
    assert "/" not in table_path(found).removeprefix("/projects/").replace("/datasets/", "").replace("/tables/", "")


@pytest.mark.parametrize(
    "uri",
    ["", "bq://", "bq://p", "bq://p.d", "p.d.t/x", "p/q.d.t", "p.d-x.t", "p.d.", ".d.t", "p..t", "a.b.c.d", 5, None],
)
def test_what_is_no_address_of_a_table(uri):
    with pytest.raises(errors.BadRequest) as caught:
        parse_table(uri)
    assert caught.value.code == "InvalidName"


@given(st.text(min_size=1, max_size=20))
def test_a_name_from_outside_never_leads_to_another_path(name):
    script = Script(reply({"name": name, "size": "1", "generation": "1"}))
    try:
        path = parse_gs(f"gs://b/{name}")
        found = storage(script).get(path)
    except errors.BadRequest:
        assert script.requests == []
    else:
        assert found.path.name == name
        raw = script.requests[0].url.raw_path.decode().partition("?")[0]
        assert raw.startswith("/storage/v1/b/b/o/")
        assert "/" not in raw.removeprefix("/storage/v1/b/b/o/")


# Lists and metadata


def test_a_list_is_read_to_its_end():
    bucket = Bucket(**{f"p/{number}": b"x" * number for number in range(5)}, q=b"")
    found = list(storage(bucket).list(ObjectPath("b", "p/")))
    assert [(item.path.name, item.size) for item in found] == [(f"p/{number}", number) for number in range(5)]
    assert found[1] == StoredObject(ObjectPath("b", "p/1"), 1, "1", md5(b"x"))
    params = [dict(one.url.params) for one in bucket.requests]
    fields = "items(name,size,generation,md5Hash,timeCreated),nextPageToken"
    assert params[0] == {"prefix": "p/", "fields": fields, "maxResults": "1000"}
    assert [one.get("pageToken") for one in params] == [None, "2", "4"]
    assert all(one.headers["x-goog-api-key"] == KEY for one in bucket.requests)


def test_an_empty_list_is_an_empty_object():
    assert list(storage(Bucket()).list(ObjectPath("b", "p/"))) == []


GOOD: dict[str, Any] = {"name": "p/x", "size": "1", "generation": "1"}


@pytest.mark.parametrize(
    "page",
    [
        {"items": {}},
        {"items": [5]},
        {"items": [{**GOOD, "name": ""}]},
        {"items": [{**GOOD, "name": 5}]},
        {"items": [{**GOOD, "size": "-1"}]},
        {"items": [{**GOOD, "size": True}]},
        {"items": [{"name": "p/x", "size": "1"}]},
        {"items": [{**GOOD, "name": "other"}]},
        {"items": [GOOD], "nextPageToken": 5},
        {"items": [GOOD], "nextPageToken": "again"},
        [],
    ],
)
def test_a_list_that_is_not_what_was_promised(page):
    with pytest.raises(errors.BadReply):
        list(storage(lambda _: reply(page)).list(ObjectPath("b", "p/")))


def test_a_failed_page_is_tried_again_and_then_raises():
    script = Script(reply({"items": [GOOD], "nextPageToken": "t"}), rpc_error(503), reply({"items": []}))
    assert len(list(storage(script).list(ObjectPath("b", "p/")))) == 1
    script = Script(reply({"items": [GOOD], "nextPageToken": "t"}), rpc_error(503))
    with pytest.raises(errors.ServerFailed):
        list(storage(script).list(ObjectPath("b", "p/")))


def test_another_object_than_the_one_asked_for():
    with pytest.raises(errors.BadReply, match="got gs://b/p/x"):
        storage(lambda _: reply(GOOD)).get(HERE)


def test_finding():
    bucket = Bucket(x=b"1")
    assert storage(bucket).find(ObjectPath("b", "x")) is not None
    assert storage(bucket).find(ObjectPath("b", "y")) is None


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        (rpc_error(403, "", "no"), errors.PermissionDenied, ["gs://b,", "roles/storage.objectViewer"]),
        (rpc_error(404, "", "no"), errors.NotFound, ["bucket b "]),
        (rpc_error(401, "", "no"), errors.Unauthenticated, []),
        (rpc_error(429, "", "no"), errors.QuotaExceeded, []),
    ],
)
def test_refusals_name_the_bucket_and_the_role(refusal, kind, words):
    def call(one: Storage) -> list[Any]:
        return [
            lambda: one.get(HERE),
            lambda: list(one.list(HERE)),
            lambda: list(one.read(StoredObject(HERE, 1, "1", None))),
            lambda: one.create(HERE, [b"x"], 1, "t"),
        ]

    for action in call(storage(lambda _: refusal)):
        with pytest.raises(kind) as caught:
            action()
        assert type(caught.value) is kind
        assert caught.value.hint
        assert all(word in caught.value.hint for word in words)


def test_a_refused_write_names_both_roles():
    with pytest.raises(errors.PermissionDenied) as caught:
        storage(lambda _: rpc_error(403)).create(HERE, [b"x"], 1, "t")
    assert "roles/storage.objectCreator and roles/storage.objectViewer" in caught.value.hint


# Reading


def read(answering: Any, item: StoredObject, clock: MovedClock | None = None) -> bytes:
    return b"".join(storage(answering, clock).read(item))


def test_bytes_are_those_of_the_object_that_was_found():
    bucket = Bucket(x=b"hello")
    one = storage(bucket)
    item = one.get(ObjectPath("b", "x"))
    assert b"".join(one.read(item)) == b"hello"
    request = bucket.requests[-1]
    assert dict(request.url.params) == {"alt": "media", "ifGenerationMatch": "1"}
    assert request.headers["accept-encoding"] == "identity"
    bucket.put("x", b"other")
    with pytest.raises(errors.BadRequest, match="was overwritten") as caught:
        list(one.read(item))
    assert caught.value.http == 412


@pytest.mark.parametrize(
    ("refusal", "metadata", "kind"),
    [
        (404, rpc_error(404, "", "gone"), errors.NotFound),
        (403, rpc_error(403, "", "no"), errors.PermissionDenied),
        (404, reply({**GOOD, "name": HERE.name, "generation": "2"}), errors.BadRequest),
        (412, reply({**GOOD, "name": HERE.name, "generation": "2"}), errors.BadRequest),
        (404, reply({**GOOD, "name": HERE.name}), errors.BadReply),
        (400, reply({}), errors.BadReply),
    ],
)
def test_a_refusal_in_plain_text_gets_the_error_of_the_metadata(refusal, metadata, kind):
    def answering(request: httpx.Request) -> httpx.Response:
        return httpx.Response(refusal, text="No") if "alt" in request.url.params else metadata

    with pytest.raises(kind) as caught:
        read(answering, StoredObject(HERE, 1, "1", None))
    assert type(caught.value) is kind


class Breaks(httpx.SyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks
        raise httpx.ReadError("reset")


def breaking(bucket: Bucket, cuts: list[int]) -> Any:
    """The bucket; while cuts remain, each read of bytes ends after so many of them."""

    def answering(request: httpx.Request) -> httpx.Response:
        full = bucket(request)
        if "alt" not in request.url.params or not cuts:
            return full
        return httpx.Response(full.status_code, headers=full.headers, stream=Breaks(full.content[: cuts.pop(0)]))

    return answering


@settings(max_examples=effort(30, 1500))
@given(st.binary(max_size=30), st.lists(st.integers(0, 12), max_size=4))
def test_a_broken_read_goes_on_where_it_broke(data, cuts):
    bucket = Bucket(x=data)
    item = StoredObject(ObjectPath("b", "x"), len(data), "1", None)
    assert read(breaking(bucket, list(cuts)), item) == data


def test_a_read_fails_after_some_attempts():
    clock = MovedClock()
    with pytest.raises(errors.ReplyLost):
        read(breaking(Bucket(x=b"0123456789"), [1] * 9), StoredObject(ObjectPath("b", "x"), 10, "1", None), clock)
    assert len(clock.sleeps) == 4


def test_what_changed_between_two_tries_is_not_mixed():
    bucket = Bucket(x=b"0123456789")
    cut = breaking(bucket, [3])

    def answering(request: httpx.Request) -> httpx.Response:
        if "range" in request.headers:
            bucket.put("x", b"abcdefghij")
        return cut(request)

    with pytest.raises(errors.BadRequest, match="was overwritten"):
        read(answering, StoredObject(ObjectPath("b", "x"), 10, "1", None))


@pytest.mark.parametrize("headers", [{}, {"content-range": "bytes 0-9/10"}, {"content-range": "bytes 4-9/10"}])
def test_an_answer_that_does_not_go_on_where_it_broke(headers):
    first = httpx.Response(200, stream=Breaks(b"012"))
    script = Script(first, httpx.Response(206, content=b"3456789", headers=headers))
    with pytest.raises(errors.ReplyLost, match="cannot be resumed"):
        read(script, StoredObject(HERE, 10, "1", None))


@pytest.mark.parametrize("header", ["content-encoding", "x-goog-stored-content-encoding"])
def test_bytes_that_come_in_another_form_have_no_positions(header):
    # A real gzip reply would suffice for the first header only; the point is that no position is trusted.
    script = Script(httpx.Response(200, headers={header: "other"}, stream=Breaks(b"012")))
    with pytest.raises(errors.ReplyLost):
        read(script, StoredObject(HERE, 10, "1", None))
    assert len(script.requests) == 1
    whole = Script(httpx.Response(200, headers={header: "other"}, content=b"longer than stored"))
    assert read(whole, StoredObject(HERE, 10, "1", None)) == b"longer than stored"


@pytest.mark.parametrize("content", [b"short", b"far too long for it"])
def test_another_size_than_the_objects(content):
    with pytest.raises(errors.ReplyLost):
        read(lambda _: httpx.Response(200, content=content), StoredObject(HERE, 10, "1", None))


def test_a_cut_connection_is_seen_on_a_real_socket():
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"
    with Loopback(answer(head + b"01234", keep=False)) as server:
        clock = MovedClock()
        real = Endpoint(server.url, ApiKey(KEY), ServerClock(clock))
        with pytest.raises(errors.ReplyLost):
            list(Storage(real, Retry(clock, lambda: 0.0)).read(StoredObject(HERE, 10, "1", None)))
        real.close()
        assert b"ange: bytes=5-" in server.requests[1]


# Writing


def create(bucket: Any, content: bytes, *, size: int | None = None, step: int = 7) -> StoredObject:
    pieces = (content[at : at + step] for at in range(0, len(content), step))
    return storage(bucket).create(HERE, pieces, len(content) if size is None else size, "application/jsonl")


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 25])
def test_an_object_is_sent_in_chunks(size):
    bucket, content = Bucket(), bytes(range(size))
    found = create(bucket, content)
    assert (found.size, found.md5, bucket.objects[HERE.name]) == (size, md5(content), content)
    start, *chunks = bucket.requests
    assert dict(start.url.params) == {"uploadType": "resumable", "name": HERE.name, "ifGenerationMatch": "0"}
    assert json.loads(start.content) == {"contentType": "application/jsonl"}
    assert start.headers["x-upload-content-length"] == str(size)
    assert start.headers["x-upload-content-type"] == "application/jsonl"
    assert start.headers["x-goog-api-key"] == KEY
    assert all(KEY not in str(one.headers.raw) for one in chunks), "the address itself identifies the upload"
    assert [one.headers.get_list("content-type") for one in chunks] == [["application/octet-stream"]] * len(chunks)
    assert [len(one.content) for one in chunks][:-1] == [10] * (len(chunks) - 1)


def test_the_spans_of_chunks(small_chunks):
    bucket = Bucket()
    create(bucket, b"x" * 25)
    assert [one.headers["content-range"] for one in bucket.requests[1:]] == [
        "bytes 0-9/25",
        "bytes 10-19/25",
        "bytes 20-24/25",
    ]
    empty = Bucket()
    create(empty, b"")
    assert [one.headers["content-range"] for one in empty.requests[1:]] == ["bytes */0"]


def test_chunks_are_multiples_of_what_the_service_takes():
    assert storage_module.CHUNK % UNIT == 0


def lost_before(_: Bucket, request: httpx.Request) -> httpx.Response:
    raise httpx.WriteError("reset", request=request)


def lost_after(bucket: Bucket, request: httpx.Request) -> httpx.Response:
    bucket.take(request)
    raise httpx.ReadTimeout("slow", request=request)


def lost_midway(bucket: Bucket, request: httpx.Request) -> httpx.Response:
    bucket.take(request, 4)
    raise httpx.ReadError("reset", request=request)


def taken_in_part(bucket: Bucket, request: httpx.Request) -> httpx.Response:
    return bucket.take(request, 4)


def busy(_: Bucket, __: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


FAULTS = [lost_before, lost_after, lost_midway, taken_in_part, busy]


@settings(max_examples=effort(30, 1500))
@given(st.lists(st.sampled_from([None, *FAULTS]), max_size=8), st.integers(0, 45))
def test_after_any_loss_the_object_is_complete_or_an_error_is_raised(faults, size):
    storage_module.CHUNK, before = 10, storage_module.CHUNK
    try:
        bucket, content = Bucket(), bytes(range(size))
        bucket.faults = list(faults)
        create(bucket, content)
    except errors.ApiError:
        assert len([fault for fault in faults if fault]) >= 4
        assert HERE.name not in bucket.objects or bucket.objects[HERE.name] == content
    else:
        assert bucket.objects[HERE.name] == content
    finally:
        storage_module.CHUNK = before


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_each_loss_is_recovered(fault, before):
    bucket, content = Bucket(), bytes(range(25))
    bucket.faults = [*[None] * before, fault]
    create(bucket, content)
    assert bucket.objects[HERE.name] == content


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([httpx.Response(503), rpc_error(404)], errors.ServerFailed),
        ([httpx.Response(308, headers={"range": "bytes=0-19"})], errors.ReplyLost),
        ([httpx.Response(308)] * 9, errors.ReplyLost),
        ([httpx.Response(308, headers={"range": "0-5"})], errors.BadReply),
        ([reply(GOOD)], errors.BadReply),
        ([httpx.Response(503), reply(GOOD)], errors.ServerFailed),
        ([rpc_error(400)], errors.BadRequest),
        ([rpc_error(410)], errors.BadRequest),
        ([httpx.Response(302, headers={"location": "https://evil.example/"})], errors.BadReply),
    ],
)
def test_a_chunk_with_an_odd_answer(answers, kind):
    """The first of two chunks."""
    bucket = Bucket()
    script = Script(*answers)

    def answering(request: httpx.Request) -> httpx.Response:
        return script(request) if request.method == "PUT" else bucket(request)

    with pytest.raises(kind) as caught:
        create(answering, b"x" * 15)
    assert type(caught.value) is kind
    assert HERE.name not in bucket.objects


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://evil.example/upload", "another server"),
        ("http://storage.googleapis.com/upload", "another server"),
        ("https://storage.googleapis.com.evil.example/", "another server"),
        ("/upload", "another server"),
        ("", "another server"),
        ("https://a:b/", "not a URL"),
    ],
)
def test_the_bytes_go_to_the_services_own_address_only(url, text):
    bucket = Bucket()
    bucket.session = url
    with pytest.raises(errors.BadReply, match=text):
        create(bucket, b"secret prompt")
    assert len(bucket.requests) == 1


def test_another_host_of_googles_gets_no_credentials():
    bucket = Bucket()
    bucket.session = "https://www.googleapis.com/upload/storage/v1/b/b/o?upload_id=u"
    create(bucket, b"x")
    assert bucket.requests[1].url.host == "www.googleapis.com"
    assert KEY not in str(bucket.requests[1].headers.raw)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("size", "content"), [(5, b"x" * 4), (5, b"x" * 6), (0, b"x"), (20, b"x" * 21), (10, b"x" * 50)]
)
def test_content_of_another_size_never_becomes_an_object(size, content):
    bucket = Bucket()
    with pytest.raises(errors.ApiError) as caught:
        create(bucket, content, size=size)
    assert caught.value.code == "InputChanged"
    assert bucket.objects == {}


def test_an_object_that_is_there_is_not_written_over():
    bucket = Bucket(**{HERE.name: b"old"})
    with pytest.raises(errors.BadRequest) as caught:
        create(bucket, b"new")
    assert caught.value.http == 412
    assert bucket.objects[HERE.name] == b"old"


@pytest.mark.parametrize("body", [{}, [], {**GOOD, "name": "other"}, {"name": HERE.name, "generation": "1"}])
def test_an_odd_end_is_a_bad_reply(body):
    bucket = Bucket()

    def answering(request: httpx.Request) -> httpx.Response:
        return reply(body) if request.method == "PUT" else bucket(request)

    with pytest.raises(errors.BadReply):
        create(answering, b"x")


def test_the_start_is_tried_again():
    bucket = Bucket()
    answers = [httpx.ConnectError("refused"), httpx.Response(503)]

    def flaky(request: httpx.Request) -> httpx.Response:
        found = answers.pop(0) if answers else bucket(request)
        if isinstance(found, Exception):
            raise found
        return found

    create(flaky, b"x")
    assert bucket.objects == {HERE.name: b"x"}


# Arbitrary replies


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["items", "name", "size", "generation", "nextPageToken"]), inner, max_size=4)
    ),
)


@settings(max_examples=effort(30, 1500))
@given(
    st.lists(
        st.tuples(
            st.sampled_from([200, 200, 206, 308, 401, 404, 412, 500]),
            ANYTHING.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=9),
            st.sampled_from([{}, {"range": "bytes=0-1"}, {"location": f"{GCS}/u"}, {"content-range": "bytes 1-"}]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_answer_gives_a_value_or_an_api_error(answers):
    def play(action: Any) -> None:
        script = Script(*[lambda _, one=one: httpx.Response(one[0], content=one[1], headers=one[2]) for one in answers])
        with suppress(errors.ApiError):
            action(storage(script))

    play(lambda one: one.find(HERE))
    play(lambda one: list(one.list(HERE)))
    play(lambda one: list(one.read(StoredObject(HERE, 3, "1", None))))
    play(lambda one: one.create(HERE, [b"abc"], 3, "t"))


def test_the_clock_is_the_services():
    clock = MovedClock()
    script = Script(reply(GOOD, headers={"date": "Sun, 22 Nov 2026 12:04:00 GMT"}))
    one = Storage(endpoint(script, clock, GCS), Retry(clock, lambda: 0.5))
    assert one.now() == NOW
    one.get(ObjectPath("b", "p/x"))
    assert (one.now() - NOW).total_seconds() == 240


def test_a_412_at_the_end_is_raised(small_chunks):
    bucket = Bucket()
    bucket.faults = [None, lambda *_: precondition_failed()]
    with pytest.raises(errors.BadRequest) as caught:
        create(bucket, b"x" * 15)
    assert caught.value.http == 412
