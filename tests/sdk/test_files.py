"""The SDK's file calls against the served emulator: uploads in chunks, lists, downloads."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from google.genai import errors, types

from tests.support.sdk_clients import MODEL, Sdk, Service, asked

CHUNK = 8 * 1024 * 1024
"""Bytes that the SDK sends at once."""


@pytest.mark.parametrize(
    ("size", "chunks"), [(0, 1), (1, 1), (CHUNK, 1), (CHUNK + 1, 2), (2 * CHUNK, 2), (2 * CHUNK + 5, 3)]
)
def test_a_file_of_any_size_arrives_whole(sdk: Sdk, service: Service, tmp_path: Any, size: int, chunks: int) -> None:
    content = (b"0123456789abcde\n" * (size // 16 + 1))[:size]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    file = sdk.files.upload(file=path, config={"mime_type": "jsonl", "display_name": "rows"})
    assert (file.size_bytes, file.mime_type, file.display_name) == (size, "jsonl", "rows")
    assert (file.state, file.source) == (types.FileState.ACTIVE, types.FileSource.UPLOADED)
    digest = hashlib.sha256(content).hexdigest()
    assert base64.b64decode(file.sha256_hash).decode() == digest
    assert file.expiration_time - file.create_time == timedelta(hours=48)
    assert service.calls("files.upload") == chunks


def test_a_stream_is_uploaded_under_the_name_that_is_asked_for(sdk: Sdk) -> None:
    config = {"mime_type": "application/jsonl", "name": "shop-rows-1"}
    file = sdk.files.upload(file=io.BytesIO(b"text"), config=config)
    assert file.name == "files/shop-rows-1"
    with pytest.raises(errors.ClientError) as refused:
        sdk.files.upload(file=io.BytesIO(b"text"), config=config)
    assert (refused.value.code, refused.value.status) == (409, "ALREADY_EXISTS")


def test_get_and_delete(sdk: Sdk) -> None:
    file = sdk.files.upload(file=io.BytesIO(b"text"), config={"mime_type": "text/plain"})
    got = sdk.files.get(name=file.name)
    assert got.model_dump(exclude={"sdk_http_response"}) == file.model_dump(exclude={"sdk_http_response"})
    sdk.files.delete(name=file.name)
    with pytest.raises(errors.ClientError) as gone:
        sdk.files.get(name=file.name)
    assert (gone.value.code, gone.value.status) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("page_size", [2, 5, 100])
def test_all_pages_of_a_list_are_gone_through(sdk: Sdk, page_size: int) -> None:
    names = [sdk.files.upload(file=io.BytesIO(b"x"), config={"mime_type": "text/plain"}).name for _ in range(5)]
    pager = sdk.files.list(config={"page_size": page_size})
    assert len(pager) == min(page_size, 5)
    assert [file.name for file in sdk.all(pager)] == names[::-1]
    with pytest.raises(IndexError, match="No more pages"):
        sdk.next_page(pager)


def test_no_files(sdk: Sdk) -> None:
    assert sdk.all(sdk.files.list()) == []


@pytest.mark.parametrize("mime_type", ["bad/mime_type", "jsonl/", "/plain"])
def test_a_type_that_cannot_be_is_refused(sdk: Sdk, mime_type: str) -> None:
    with pytest.raises(errors.ClientError, match="Unsupported MIME type") as refused:
        sdk.files.upload(file=io.BytesIO(b"x"), config={"mime_type": mime_type})
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")


def test_a_suffix_that_nobody_knows_needs_a_type(sdk: Sdk, service: Service, tmp_path: Any) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("x")
    with pytest.raises(ValueError, match="mimetype"):
        sdk.files.upload(file=path)
    assert service.calls("files.create") == 0


def test_a_result_file_can_be_downloaded_but_not_looked_at(sdk: Sdk, tmp_path: Any) -> None:
    source = sdk.files.upload(
        file=io.BytesIO(b'{"key": "a", "request": {"contents": [{"parts": [{"text": "x"}]}]}}'),
        config={"mime_type": "jsonl"},
    )
    made = sdk.batches.create(model=MODEL, src=source.name)
    result = sdk.batches.get(name=made.name).dest.file_name
    assert sdk.files.download(file=result).startswith(b'{"response"')
    destination = tmp_path / "results.jsonl"
    assert sdk.files.download(file=result, destination=destination) is None
    assert destination.read_bytes() == sdk.files.download(file=result)
    with pytest.raises(errors.ClientError, match="cannot be more than 40 characters") as refused:
        sdk.files.get(name=result)
    assert refused.value.code == 400
    assert result not in [file.name for file in sdk.all(sdk.files.list())]


def test_an_uploaded_file_cannot_be_downloaded(sdk: Sdk, service: Service) -> None:
    file = sdk.files.upload(file=io.BytesIO(b"text"), config={"mime_type": "text/plain"})
    with pytest.raises(ValueError, match=r"(?i)download"):
        sdk.files.download(file=file)
    assert service.calls("files.download") == 0
    with pytest.raises(errors.ClientError, match="only generated files") as refused:
        sdk.files.download(file=file.name)
    assert refused.value.code == 400


def test_an_inline_job_has_no_result_file(sdk: Sdk) -> None:
    made = sdk.batches.create(model=MODEL, src=[asked("hello")])
    with pytest.raises(errors.ClientError) as gone:
        sdk.files.download(file=f"files/batch-{made.name.removeprefix('batches/')}")
    assert gone.value.code == 403
