from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.model.ports.providers import Upload
from batchctl.providers.cloud import storage as storage_module
from batchctl.providers.key_locks import KeyLocks
from batchctl.providers.vertex.staging import Staging
from tests.support.long_mode import effort
from tests.support.scripted_api import reply, rpc_error
from tests.support.scripted_cloud import Bucket, md5, precondition_failed, storage, upload_of

CONTENT = b'{"request":{}}\n' * 3
SHA = hashlib.sha256(CONTENT).hexdigest()
NAME = f"in/abc123/{SHA}.jsonl"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(storage_module, "CHUNK", 10)


def send(bucket: Any, upload: Upload | None = None, place: str = "gs://b/in/") -> str:
    return Staging(storage(bucket), place, KeyLocks(), "abc123").upload(upload or upload_of(CONTENT))


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("gs://b/in/", "in/"),
        ("gs://b/in", "in/"),
        ("gs://b/a/b c/", "a/b c/"),
        ("gs://b", "batchctl/"),
        ("gs://b/", "batchctl/"),
    ],
)
def test_a_file_is_named_by_its_content(place, folder):
    bucket = Bucket()
    assert send(bucket, place=place) == f"gs://b/{folder}abc123/{SHA}.jsonl"
    assert bucket.objects == {f"{folder}abc123/{SHA}.jsonl": CONTENT}


@pytest.mark.parametrize("place", ["", "b/in", "gs://", "gs://b/\n", "https://b/in/"])
def test_what_is_no_place(place):
    with pytest.raises(errors.BadRequest) as caught:
        Staging(storage(Bucket()), place, KeyLocks(), "abc123")
    assert caught.value.code == "InvalidName"


def test_a_file_that_is_there_is_not_sent_again():
    bucket = Bucket(**{NAME: CONTENT})
    assert send(bucket) == f"gs://b/{NAME}"
    assert [one.method for one in bucket.requests] == ["GET"]
    again = Bucket()
    send(again)
    before = len(again.requests)
    send(again)
    assert len(again.requests) == before + 1


@pytest.mark.parametrize("other", [b"", CONTENT[:-1] + b" ", CONTENT + b"\n"])
def test_an_overwritten_file_is_refused(other):
    bucket = Bucket(**{NAME: other})
    with pytest.raises(errors.BadRequest) as caught:
        send(bucket)
    assert caught.value.code == "StagedFileChanged"
    assert NAME in caught.value.message
    assert bucket.objects[NAME] == other


def test_an_object_that_was_composed_cannot_be_the_file():
    def answering(_: httpx.Request) -> httpx.Response:
        return reply({"name": NAME, "size": str(len(CONTENT)), "generation": "1"})

    with pytest.raises(errors.BadRequest) as caught:
        send(answering)
    assert caught.value.code == "StagedFileChanged"


def racing(bucket: Bucket, at: int, data: bytes) -> Any:
    """The bucket; another program creates the object just before the request with this number."""

    def answering(request: httpx.Request) -> httpx.Response:
        if len(bucket.requests) == at:
            bucket.put(NAME, data)
        return bucket(request)

    return answering


@pytest.mark.parametrize("at", [1, 2, 4, 6])
def test_another_program_creates_the_same_file(at):
    bucket = Bucket()
    assert send(racing(bucket, at, CONTENT)) == f"gs://b/{NAME}"
    assert bucket.generations == {NAME: 1}


@pytest.mark.parametrize("at", [1, 2, 4, 6])
def test_another_program_creates_another_file(at):
    bucket = Bucket()
    with pytest.raises(errors.BadRequest) as caught:
        send(racing(bucket, at, b"other"))
    assert caught.value.code == "StagedFileChanged"
    assert bucket.objects == {NAME: b"other"}


def test_a_refusal_of_the_bytes_in_plain_text_is_understood():
    bucket = Bucket()

    def answering(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            bucket.put(NAME, CONTENT)
            return httpx.Response(412, text="Precondition Failed")
        return bucket(request)

    assert send(answering) == f"gs://b/{NAME}"


def test_a_file_that_disappears_is_reported():
    def answering(request: httpx.Request) -> httpx.Response:
        return precondition_failed() if request.method == "POST" else rpc_error(404, "", "none")

    with pytest.raises(errors.NotFound):
        send(answering)


@pytest.mark.parametrize(("member", "value"), [("size", "1"), ("md5Hash", md5(b"other")), ("md5Hash", None)])
def test_what_arrived_is_compared_with_what_was_sent(member, value):
    bucket = Bucket()

    def answering(request: httpx.Request) -> httpx.Response:
        found = bucket(request)
        return reply({**bucket.resource(NAME), member: value}) if bucket.final is found else found

    with pytest.raises(errors.BadReply, match="differs from what was sent"):
        send(answering)


@pytest.mark.parametrize(
    "upload",
    [
        lambda: upload_of(CONTENT, size=len(CONTENT) + 1),
        lambda: upload_of(CONTENT, size=len(CONTENT) - 1),
        lambda: upload_of(CONTENT[:-1] + b" ", sha256=SHA),
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_changed_content_is_never_stored_under_the_hash_of_the_old_one(upload, there):
    bucket = Bucket()
    one = upload()
    name = f"in/{one.sha256}.jsonl"
    if there:
        bucket.put(name, CONTENT)
    with pytest.raises(errors.ApiError) as caught:
        send(bucket, one)
    assert caught.value.code == "InputChanged"
    assert bucket.objects == ({name: CONTENT} if there else {})


def test_content_is_read_once_and_no_chunk_ahead():
    bucket = Bucket()
    asked = []

    def pieces() -> Any:
        for number in range(10):
            asked.append((number, len(bucket.taken)))
            yield b"x" * 10

    sha = hashlib.sha256(b"x" * 100).hexdigest()
    send(bucket, Upload(pieces(), 100, sha, "d"))
    assert [number for number, _ in asked] == list(range(10))
    assert all(taken >= (number - 2) * 10 for number, taken in asked)


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        (rpc_error(403), errors.PermissionDenied, ["gs://b", "roles/storage.object"]),
        (rpc_error(404, "", "The specified bucket does not exist."), errors.NotFound, ["bucket b "]),
        (rpc_error(401), errors.Unauthenticated, []),
        (rpc_error(429), errors.QuotaExceeded, []),
    ],
)
def test_refusals(refusal, kind, words):
    with pytest.raises(kind) as caught:
        send(lambda _: refusal)
    assert all(word in caught.value.hint for word in words)


@settings(max_examples=effort(30, 1500))
@given(st.binary(max_size=60), st.integers(1, 30))
def test_any_content_arrives(content, step):
    storage_module.CHUNK = 10
    bucket = Bucket()
    address = send(bucket, upload_of(content, step=step))
    assert bucket.objects == {address.removeprefix("gs://b/"): content}
