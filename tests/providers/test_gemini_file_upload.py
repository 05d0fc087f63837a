from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.providers.gemini import file_upload
from tests.support.scripted_api import BASE, KEY, MovedClock, provider, reply, rpc_error, upload_of

URL = f"{BASE}/upload/v1/files?upload_id=u1&upload_protocol=resumable"
FILE = {"name": "files/abc", "expirationTime": "2026-11-24T12:00:00.123456789Z", "state": "ACTIVE"}
GIVEN = ("files/abc", datetime(2026, 11, 24, 12, 0, 0, 123456, UTC))
SMALL = 10
"""Bytes of a chunk in these tests."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(file_upload, "CHUNK", SMALL)


Fault = Callable[["Files", httpx.Request], httpx.Response | None]


class Files:
    """The server of the resumable protocol (reference 2.1). `faults` apply in order, one for each call with bytes."""

    def __init__(self, *faults: Fault | None, url: str = URL) -> None:
        self.faults = list(faults)
        self.url = url
        self.requests: list[httpx.Request] = []
        self.stored = b""
        self.final = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        command = request.headers["x-goog-upload-command"]
        if command == "start":
            return httpx.Response(200, headers={"X-Goog-Upload-URL": self.url})
        if command == "query":
            return self.status()
        fault = self.faults.pop(0) if self.faults else None
        answer = fault(self, request) if fault else None
        return answer or self.take(request)

    def take(self, request: httpx.Request, part: int | None = None) -> httpx.Response:
        assert request.headers["x-goog-upload-offset"] == str(len(self.stored))
        self.stored += request.content[:part]
        self.final = part is None and request.headers["x-goog-upload-command"] == "upload, finalize"
        return self.status()

    def status(self) -> httpx.Response:
        if self.final:
            return reply(
                {"file": {**FILE, "sizeBytes": str(len(self.stored))}}, headers={"X-Goog-Upload-Status": "final"}
            )
        received = str(len(self.stored))
        return httpx.Response(200, headers={"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": received})


def lost_before(_: Files, request: httpx.Request) -> httpx.Response:
    raise httpx.WriteError("reset", request=request)


def lost_after(files: Files, request: httpx.Request) -> httpx.Response:
    files.take(request)
    raise httpx.ReadTimeout("slow", request=request)


def lost_midway(files: Files, request: httpx.Request) -> httpx.Response:
    files.take(request, 4)
    raise httpx.ReadError("reset", request=request)


def no_status(files: Files, request: httpx.Request) -> httpx.Response:
    files.take(request)
    return httpx.Response(200)


def busy(_: Files, __: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


def send(files: Callable[[httpx.Request], httpx.Response], content: bytes, size: int | None = None, step: int = 7):
    pieces = (content[at : at + step] for at in range(0, len(content), step))
    return provider(files).upload_file(upload_of(pieces, len(content) if size is None else size))


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 19, 20, 21, 35])
@pytest.mark.parametrize("step", [1, 7, 10, 100])
def test_sizes_and_pieces(size, step):
    files = Files()
    content = bytes(range(size))
    assert send(files, content, step=step) == GIVEN
    assert files.stored == content
    sent = [request.content for request in files.requests[1:]]
    assert [len(body) for body in sent[:-1]] == [SMALL] * (len(sent) - 1)
    assert len(sent) == max(1, -(-size // SMALL))


def test_the_start_call():
    files = Files()
    send(files, b"x" * 15)
    start, *chunks = files.requests
    assert str(start.url) == f"{BASE}/upload/v1/files"
    assert {name: start.headers[f"x-goog-upload-{name}"] for name in ("protocol", "command")} == {
        "protocol": "resumable",
        "command": "start",
    }
    assert start.headers["x-goog-upload-header-content-length"] == "15"
    assert start.headers["x-goog-upload-header-content-type"] == "jsonl"
    file = json.loads(start.content)["file"]
    assert file.pop("name").startswith("files/batchctl-")
    assert file == {"displayName": "in.jsonl", "mimeType": "jsonl"}
    assert start.headers["x-goog-api-key"] == KEY
    assert [str(one.url) for one in chunks] == [URL, URL]
    assert all(KEY not in str(one.headers.raw) for one in chunks), "the address itself identifies the upload"
    assert [one.headers["x-goog-upload-command"] for one in chunks] == ["upload", "upload, finalize"]
    assert [one.headers["content-length"] for one in chunks] == ["10", "5"]


def test_only_one_chunk_is_held_at_a_time():
    files = Files()
    asked = []

    def pieces() -> Iterator[bytes]:
        for number in range(10):
            asked.append((number, len(files.stored)))
            yield b"x" * SMALL

    provider(files).upload_file(upload_of(pieces(), 100, "d"))
    assert all(stored >= (number - 1) * SMALL - SMALL for number, stored in asked)
    assert asked[-1] == (9, 80)


FAULTS = [lost_before, lost_after, lost_midway, no_status, busy]


@given(st.lists(st.sampled_from([None, *FAULTS]), max_size=8), st.integers(0, 45))
def test_after_any_loss_the_file_is_complete_or_an_error_is_raised(faults, size):
    file_upload.CHUNK = SMALL
    files = Files(*faults)
    content = bytes(range(size))
    try:
        assert send(files, content) == GIVEN
    except errors.ApiError:
        assert len([fault for fault in faults if fault]) >= 5
    else:
        assert files.stored == content
        assert files.final


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_each_loss_is_recovered(fault, before):
    files = Files(*[None] * before, fault)
    content = bytes(range(25))
    assert send(files, content) == GIVEN
    assert files.stored == content
    assert sum(request.headers["x-goog-upload-command"] == "query" for request in files.requests) == 1


def test_a_chunk_is_not_tried_for_ever():
    files = Files(*[busy] * 99)
    clock = MovedClock()
    with pytest.raises(errors.ServerFailed):
        provider(files, clock).upload_file(upload_of([b"x"], 1, "d"))
    assert len(files.faults) == 99 - 5
    assert len(clock.sleeps) == 4


def test_a_refused_chunk_is_not_sent_again():
    files = Files(lambda *_: rpc_error(400, "INVALID_ARGUMENT"))
    with pytest.raises(errors.BadRequest):
        send(files, b"x")
    assert len(files.requests) == 2


def test_a_start_is_tried_again():
    answers = [httpx.ConnectError("refused"), httpx.Response(503)]
    files = Files()

    def flaky(request: httpx.Request) -> httpx.Response:
        answer = answers.pop(0) if answers else files(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert send(flaky, b"x") == GIVEN


def status(value: str | None, received: str | None = None, body: bytes = b"") -> httpx.Response:
    headers = {"X-Goog-Upload-Status": value, "X-Goog-Upload-Size-Received": received}
    return httpx.Response(200, content=body, headers={name: text for name, text in headers.items() if text is not None})


@pytest.mark.parametrize("answer", [status("final"), status("cancelled"), status("odd\x1b"), status(KEY)])
def test_an_early_end_is_not_taken_for_success(answer):
    files = Files(lambda *_: answer)
    with pytest.raises(errors.BadReply, match="bytes remain") as caught:
        send(files, b"x" * 15)
    assert len(files.requests) == 2
    assert KEY[:8] not in caught.value.message


def test_active_after_the_last_byte_is_not_taken_for_success():
    with pytest.raises(errors.BadReply, match="all bytes were sent"):
        send(Files(lambda *_: status("active")), b"x")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (rpc_error(404, "NOT_FOUND"), errors.ServerFailed),
        (status(None), errors.ServerFailed),
        (status("cancelled"), errors.ServerFailed),
        (status("active"), errors.ServerFailed),
        (status("active", "x"), errors.ServerFailed),
        (status("active", "5"), errors.ReplyLost),
        (status("active", "21"), errors.ReplyLost),
        (status("final"), errors.ServerFailed),
    ],
)
def test_a_query_that_does_not_help_leaves_the_failure(answer, kind):
    """The second chunk, bytes 10 to 19, fails: a server that then has 5 or 21 bytes cannot be continued."""
    files = Files(None, busy)

    def odd(request: httpx.Request) -> httpx.Response:
        return answer if request.headers["x-goog-upload-command"] == "query" else files(request)

    with pytest.raises(kind):
        send(odd, b"x" * 20)


def test_a_finished_upload_whose_answer_was_lost_is_found_by_the_query():
    files = Files(None, lost_after)
    assert send(files, b"x" * 20) == GIVEN
    assert [one.headers["x-goog-upload-command"] for one in files.requests] == [
        "start",
        "upload",
        "upload, finalize",
        "query",
    ]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://evil.example/upload", "another server"),
        ("http://generativelanguage.googleapis.com/upload", "another server"),
        ("/upload", "another server"),
        ("", "another server"),
        ("https://a:b/", "not a URL"),
    ],
)
def test_the_bytes_go_to_the_apis_own_address_only(url, text):
    files = Files(url=url)
    with pytest.raises(errors.BadReply, match=text):
        send(files, b"secret prompt")
    assert len(files.requests) == 1


@pytest.mark.parametrize(
    ("size", "content"),
    [(5, b"x" * 4), (5, b"x" * 6), (5, b""), (0, b"x"), (20, b"x" * 21), (20, b"x" * 19), (10, b"x" * 50)],
)
def test_content_of_another_size_is_never_finalised(size, content):
    files = Files()
    with pytest.raises(errors.ApiError) as caught:
        send(files, content, size)
    assert caught.value.code == "InputChanged"
    assert not files.final
    assert len(files.stored) <= size


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"file": 5},
        {"file": {"name": "abc"}},
        {"file": {"name": "files/../x"}},
        {"file": {**FILE, "sizeBytes": "2"}},
        {"file": {**FILE, "sizeBytes": {}}},
    ],
)
def test_an_odd_file_is_a_bad_reply(body):
    with pytest.raises(errors.BadReply):
        send(Files(lambda *_: reply(body, headers={"X-Goog-Upload-Status": "final"})), b"x")


@pytest.mark.parametrize("file", [{"name": "files/a"}, {"name": "files/a", "sizeBytes": 1, "expirationTime": "soon"}])
def test_a_file_need_not_say_more_than_its_name(file):
    answer = reply({"file": file}, headers={"X-Goog-Upload-Status": "final"})
    assert send(Files(lambda *_: answer), b"x") == ("files/a", None)


def test_a_long_name_is_cut():
    files = Files()
    provider(files).upload_file(upload_of([b"x"], 1, "n" * 600))
    assert len(json.loads(files.requests[0].content)["file"]["displayName"]) == 512


class Processed:
    """A file that is in processing for so many polls, and then in a final state."""

    def __init__(self, looks: int, state: str, **members: object) -> None:
        self.looks, self.state, self.members = looks, state, members
        self.sleeps: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "/upload/" in request.url.path:
            if request.headers["x-goog-upload-command"] == "start":
                return httpx.Response(200, headers={"X-Goog-Upload-URL": URL})
            return reply(
                {"file": {**FILE, "sizeBytes": "1", "state": "PROCESSING"}}, headers={"X-Goog-Upload-Status": "final"}
            )
        assert request.url.path == "/v1/files/abc"
        self.looks -= 1
        return reply({**FILE, "state": "PROCESSING"} if self.looks > 0 else {"state": self.state, **self.members})


def test_a_file_is_followed_until_it_is_active():
    clock = MovedClock()
    given = provider(Processed(3, "ACTIVE", expirationTime=FILE["expirationTime"]), clock).upload_file(
        upload_of([b"x"], 1)
    )
    assert given == GIVEN
    assert clock.sleeps == [1, 2, 4]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"error": {"code": 3, "message": "row 7 is not JSON"}}, "row 7 is not JSON"),
        ({"error": {"message": " "}}, "the API gave no reason"),
        ({}, "the API gave no reason"),
    ],
)
def test_a_file_that_cannot_be_processed_fails_with_the_apis_words(members, words):
    with pytest.raises(errors.BadRequest, match=f"could not process the file: {words}") as caught:
        provider(Processed(2, "FAILED", **members)).upload_file(upload_of([b"x"], 1))
    assert caught.value.code == "UploadFailed"


def test_a_file_is_not_waited_for_without_end():
    clock = MovedClock()
    with pytest.raises(errors.BadRequest, match="files/abc is still PROCESSING") as caught:
        provider(Processed(1000, "ACTIVE"), clock).upload_file(upload_of([b"x"], 1))
    assert caught.value.code == "InputNotReady"
    assert 25 < sum(clock.sleeps) < 40
