"""Google's own client of Cloud Storage against the served emulator."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed, Unauthorized
from google.auth.exceptions import InvalidOperation
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2.credentials import Credentials

from tests.support.sdk_clients import NoToken, Service

BIG = bytes(index % 251 for index in range(700_000))
UNIT = 256 * 1024


@pytest.fixture
def client(service: Service) -> Iterator[storage.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", service.url)
        client = storage.Client("p", Credentials("token"))
        yield client
        client.close()


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.create_bucket("demo", location="eu")


def test_the_endpoint_may_be_an_option(service: Service) -> None:
    client = storage.Client("p", Credentials("token"), client_options={"api_endpoint": service.url})
    client.create_bucket("demo").blob("a").upload_from_string("x")
    assert client.bucket("demo").blob("a").download_as_bytes() == b"x"
    client.close()


def test_a_caller_without_a_token(service: Service) -> None:
    client = storage.Client("p", NoToken(), client_options={"api_endpoint": service.url})
    with pytest.raises(Unauthorized):
        client.get_bucket("demo")
    with pytest.raises(Unauthorized):
        client.bucket("demo").blob("a").upload_from_string("x")
    client.close()


def test_an_endpoint_of_the_environment_alone_makes_anonymous_callers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.url)
    client = storage.Client("p")
    with pytest.raises(InvalidOperation, match="Anonymous credentials cannot be refreshed"):
        client.create_bucket("demo")
    client.close()


def test_anonymous_callers_read_where_a_setting_says_so(
    service: Service, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.blob("a").upload_from_string("x")
    service.call("PUT", "/_emulator/settings", {"anonymousReads": "allow"})
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.url)
    client = storage.Client("p")
    assert [blob.name for blob in client.list_blobs("demo")] == ["a"]
    assert client.bucket("demo").blob("a").download_as_bytes() == b"x"
    with pytest.raises(InvalidOperation):
        client.bucket("demo").blob("a").upload_from_string("y")
    client.close()


def test_a_bucket_at_the_callers_expense(service: Service, client: storage.Client, bucket: storage.Bucket) -> None:
    service.call("PUT", "/_emulator/settings", {"requesterPays": ["demo"]})
    with pytest.raises(BadRequest, match="requester pays bucket but no user project"):
        bucket.blob("a").upload_from_string("x")
    paying = client.bucket("demo", user_project="p")
    paying.blob("a").upload_from_string("x")
    paying.blob("b", chunk_size=UNIT).upload_from_file(io.BytesIO(BIG))
    assert paying.blob("a").download_as_bytes() == b"x"
    assert [blob.name for blob in client.list_blobs(paying)] == ["a", "b"]
    paying.reload()
    assert paying.requester_pays is True


def test_buckets(client: storage.Client, bucket: storage.Bucket) -> None:
    assert (bucket.location, bucket.time_created.tzinfo is not None) == ("EU", True)
    assert client.get_bucket("demo").etag == bucket.etag
    assert bucket.exists()
    assert [item.name for item in client.list_buckets()] == ["demo"]
    with pytest.raises(Conflict):
        client.create_bucket("demo")
    with pytest.raises(NotFound, match="The specified bucket does not exist"):
        client.get_bucket("none")
    assert client.lookup_bucket("none") is None
    bucket.blob("a").upload_from_string("x")
    with pytest.raises(Conflict):
        bucket.delete()
    bucket.delete(force=True)
    assert not bucket.exists()


@pytest.mark.parametrize("checksum", ["md5", "crc32c", "auto", None])
@pytest.mark.parametrize("chunk_size", [None, UNIT])
def test_what_goes_up_comes_down(bucket: storage.Bucket, checksum: str | None, chunk_size: int | None) -> None:
    blob = bucket.blob("in/a b ☃.bin", chunk_size=chunk_size)
    blob.upload_from_string(BIG, content_type="x/y", checksum=checksum)
    assert (blob.size, blob.content_type, blob.metageneration) == (len(BIG), "x/y", 1)
    fresh = bucket.get_blob("in/a b ☃.bin")
    assert (fresh.generation, fresh.md5_hash, fresh.crc32c) == (blob.generation, blob.md5_hash, blob.crc32c)
    assert fresh.updated == blob.updated
    assert fresh.download_as_bytes(checksum=checksum) == BIG
    assert bucket.blob("in/a b ☃.bin", chunk_size=chunk_size).download_as_bytes() == BIG


def test_an_upload_in_pieces_is_made_of_pieces(service: Service, bucket: storage.Bucket) -> None:
    bucket.blob("a", chunk_size=UNIT).upload_from_file(io.BytesIO(BIG))
    assert service.calls("storage.objects.upload") == 3
    bucket.blob("b", chunk_size=UNIT).upload_from_file(io.BytesIO(BIG), size=len(BIG), if_generation_match=0)
    with bucket.blob("c", chunk_size=UNIT).open("wb") as writer:
        writer.write(BIG)
        assert not bucket.blob("c").exists()
    assert {bucket.blob(name).download_as_bytes() for name in "abc"} == {BIG}


@pytest.mark.parametrize("chunk_size", [None, UNIT])
def test_an_empty_object(bucket: storage.Bucket, chunk_size: int | None) -> None:
    blob = bucket.blob("a", chunk_size=chunk_size)
    blob.upload_from_string(b"")
    assert (blob.size, bucket.blob("a").download_as_bytes()) == (0, b"")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_piece_is_found_again(service: Service, bucket: storage.Bucket, when: str) -> None:
    fault = {"method": "storage.objects.upload", "kind": "status", "status": 503, "when": when, "count": 1}
    service.faults(fault)
    bucket.blob("a", chunk_size=UNIT).upload_from_string(BIG, retry=DEFAULT_RETRY.with_delay(0.01, 0.01))
    assert bucket.blob("a").download_as_bytes() == BIG


def test_create_only(bucket: storage.Bucket) -> None:
    bucket.blob("a").upload_from_string("first", if_generation_match=0)
    for chunk_size in (None, UNIT):
        with pytest.raises(PreconditionFailed):
            bucket.blob("a", chunk_size=chunk_size).upload_from_string("second", if_generation_match=0)
    blob = bucket.get_blob("a")
    assert blob.download_as_text() == "first"
    blob.upload_from_string("third", if_generation_match=blob.generation)
    with pytest.raises(PreconditionFailed):
        bucket.get_blob("a").delete(if_generation_match=1)
    with pytest.raises(PreconditionFailed):
        bucket.blob("a").download_as_bytes(if_generation_match=1)
    assert bucket.blob("a").download_as_bytes() == b"third"


@pytest.mark.parametrize(
    ("start", "end", "content"),
    [(5, 9, BIG[5:10]), (699_990, None, BIG[-10:]), (-4, None, BIG[-4:]), (0, 0, BIG[:1])],
)
def test_a_part_of_an_object(bucket: storage.Bucket, start: int, end: int | None, content: bytes) -> None:
    bucket.blob("a").upload_from_string(BIG)
    assert bucket.blob("a").download_as_bytes(start=start, end=end) == content


def test_reading_as_a_stream(bucket: storage.Bucket) -> None:
    bucket.blob("a").upload_from_string(b"line\n" * 100_000)
    with bucket.blob("a", chunk_size=UNIT).open("r") as lines:
        assert sum(line == "line\n" for line in lines) == 100_000


def test_lists(client: storage.Client, bucket: storage.Bucket) -> None:
    for name in ("a", "in/1", "in/2", "in/x/3", "z"):
        bucket.blob(name).upload_from_string("x")
    assert [blob.name for blob in client.list_blobs("demo")] == ["a", "in/1", "in/2", "in/x/3", "z"]
    pages = client.list_blobs("demo", page_size=2, prefix="in/").pages
    assert [[blob.name for blob in page] for page in pages] == [["in/1", "in/2"], ["in/x/3"]]
    top = client.list_blobs("demo", delimiter="/")
    assert ([blob.name for blob in top], top.prefixes) == (["a", "z"], {"in/"})
    below = client.list_blobs("demo", delimiter="/", prefix="in/", page_size=1)
    assert ([blob.name for blob in below], below.prefixes) == (["in/1", "in/2"], {"in/x/"})
    assert len(list(client.list_blobs("demo", max_results=3))) == 3
    between = client.list_blobs("demo", start_offset="in/2", end_offset="z", fields="items(name),nextPageToken")
    assert [blob.name for blob in between] == ["in/2", "in/x/3"]
    with pytest.raises(NotFound):
        list(client.list_blobs("none"))


def test_deleting(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string("x")
    blob.delete()
    assert not blob.exists()
    for call in (blob.delete, blob.download_as_bytes, blob.reload):
        with pytest.raises(NotFound):
            call()


def test_metadata_copies_and_sums(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"k": "v"}
    blob.upload_from_string("1")
    blob.metadata = {"l": "w"}
    blob.patch()
    assert (bucket.get_blob("a").metadata, blob.metageneration) == ({"k": "v", "l": "w"}, 2)
    copy = bucket.copy_blob(blob, bucket, "b")
    assert copy.download_as_text() == "1"
    total = bucket.blob("c")
    total.compose([blob, copy])
    token, written, size = bucket.blob("d").rewrite(total)
    assert (token, written, size) == (None, 2, 2)
    assert bucket.blob("d").download_as_text() == "11"


def test_damage_on_the_way_down_is_seen(service: Service, bucket: storage.Bucket) -> None:
    bucket.blob("a").upload_from_string("x")
    service.emulator.store.change("UPDATE pieces SET data = x'00'")
    for checksum in ("md5", "crc32c"):
        with pytest.raises(DataCorruption):
            bucket.blob("a").download_as_bytes(checksum=checksum)
