from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchctl.model import errors
from batchctl.model.ports.inputs import UNREADABLE, InputRow
from batchctl.model.sources import RemoteSource
from batchctl.model.wildcards import literal_part, matches
from batchctl.providers.streamed_lines import LINE_LIMIT
from batchctl.providers.vertex.input import find_input, read_input
from tests.support.long_mode import effort
from tests.support.scripted_api import rpc_error
from tests.support.scripted_cloud import Bucket, lines, storage


def read(bucket: Any, *uris: str) -> list[InputRow]:
    return list(rows_of(bucket, *uris))


def rows_of(bucket: Any, *uris: str, limit: int = LINE_LIMIT) -> Iterator[InputRow]:
    files = find_input(RemoteSource(uris or ("gs://b/x",)), storage(bucket))
    assert files is not None
    return read_input(files, storage(bucket), limit)


def text(number: int) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": str(number)}]}]}


@pytest.mark.parametrize("uri", ["bq://p.d.t", "projects/p/locations/l/datasets/1"])
def test_what_has_no_order_is_not_read(uri):
    assert find_input(RemoteSource((uri,)), storage(Bucket())) is None


def test_files_come_in_the_order_of_the_uris_and_of_names():
    files = {f"in/{name}": lines({"request": text(number)}) for number, name in enumerate(["b", "a10", "a2", "sub/a1"])}
    bucket = Bucket(**files)
    found = read(bucket, "gs://b/in/b", "gs://b/in/a*", "gs://b/in/**", "gs://b/in/b")
    numbers = [int(row.request["contents"][0]["parts"][0]["text"]) for row in found]
    assert numbers == [0, 1, 2, 1, 2, 0, 3, 0]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b'{"request": {"a": 1}}', InputRow(None, {"a": 1})),
        (b'{"request": {"a": 1}, "key": "k"}', InputRow("k", {"a": 1})),
        (b'{"request": {"a": 1}, "key": 5}', InputRow("5", {"a": 1})),
        (
            b'{"custom_id": "r1", "id": 7, "request": {"a": 1}}',
            InputRow(None, {"a": 1}, {"custom_id": "r1", "id": 7}),
        ),
        (
            b'{"custom_id": "r1", "method": "POST", "body": {"a": 1}}',
            InputRow(None, {"a": 1}, {"custom_id": "r1", "method": "POST"}, in_body=True),
        ),
        (b'{"content": "hi"}', InputRow(None, {"content": "hi"})),
        (b'{"contents": [], "key": "mine"}', InputRow(None, {"contents": [], "key": "mine"})),
        (b"{}", InputRow(None, {})),
        (b'{"request": 5, "key": "k"}', InputRow("k", UNREADABLE)),
        (b"5", InputRow(None, UNREADABLE)),
        (b"[{}]", InputRow(None, UNREADABLE)),
        (b"{broken", InputRow(None, UNREADABLE)),
        (b"\xff\xfe", InputRow(None, UNREADABLE)),
        (b'{"a": NaN}', InputRow(None, UNREADABLE)),
        (b"[" * 100_000, InputRow(None, UNREADABLE)),
    ],
)
def test_lines(line, row):
    after = b'{"request": {"last": true}}'
    found = read(Bucket(x=b"\n" + line + b"\r\n  \n" + after))
    assert found == [row, InputRow(None, {"last": True})], "what holds no request counts, what is blank does not"


def test_a_mark_at_the_start_of_a_file_is_no_part_of_it():
    assert read(Bucket(x=b"\xef\xbb\xbf" + lines({"request": {"a": 1}}))) == [InputRow(None, {"a": 1})]


def test_a_row_without_a_request_can_be_no_reply():
    with pytest.raises(ValueError, match="JSON"):
        json.dumps(dict(UNREADABLE), allow_nan=False)
    assert math.isnan(UNREADABLE["unreadable"])


def test_all_files_are_found_before_the_first_row_is_read():
    bucket = Bucket(x=lines(text(1)))
    with pytest.raises(errors.NotFound):
        find_input(RemoteSource(("gs://b/x", "gs://b/y")), storage(bucket))
    rows = rows_of(bucket)
    asked = len(bucket.requests)
    assert next(rows).request == text(1)
    assert len(bucket.requests) == asked + 1


@pytest.mark.parametrize("uri", ["gs://b/none", "gs://b/none*", "gs://b/dir/", "gs://other/x"])
def test_an_input_that_is_gone(uri):
    with pytest.raises(errors.NotFound):
        read(Bucket(x=b""), uri)


@pytest.mark.parametrize("uri", ["gs://b", "gs://b/", "gs://?/x"])
def test_what_is_no_object(uri):
    with pytest.raises(errors.BadRequest):
        read(Bucket(), uri)


@pytest.mark.parametrize("uri", ["gs://b/x", "gs://b/*"])
def test_an_input_that_is_not_for_us(uri):
    with pytest.raises(errors.PermissionDenied) as caught:
        read(lambda _: rpc_error(403), uri)
    assert "roles/storage.objectViewer" in caught.value.hint


def test_an_input_that_changes_while_it_is_read():
    bucket = Bucket(x=lines(text(1)))

    def answering(request: httpx.Request) -> httpx.Response:
        if "alt" in request.url.params:
            bucket.put("x", b"other")
        return bucket(request)

    with pytest.raises(errors.BadRequest, match="was overwritten"):
        read(answering)


def test_a_line_that_is_too_long_is_a_row_without_a_request():
    bucket = Bucket(x=lines(text(1)) + b'{"key": "k", "request": "' + b"x" * 99 + b'"}\n' + lines(text(2)))
    assert list(rows_of(bucket, limit=60)) == [
        InputRow(None, text(1)),
        InputRow("k", UNREADABLE),
        InputRow(None, text(2)),
    ]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a/*.jsonl", ["a/.jsonl", "a/x.jsonl"], ["a/b/x.jsonl", "a/x.jsonl.gz", "b/x.jsonl"]),
        ("a/**.jsonl", ["a/x.jsonl", "a/b/c.jsonl"], ["b/x.jsonl"]),
        ("a/**/x", ["a/b/x", "a/b/c/x", "a//x"], ["a/x"]),
        ("*", ["", "x"], ["x/y"]),
        ("**", ["", "x", "x/y/\n"], []),
        ("***", ["x/y"], []),
        ("**a*b", ["a/ab", "ab"], ["a/b"]),
        ("a[1]?.x", ["a[1]?.x"], ["a1b.x"]),
        ("x", ["x"], ["xx", ""]),
    ],
)
def test_wildcards(pattern, yes, no):
    assert [name for name in [*yes, *no] if matches(pattern, name)] == yes


@settings(max_examples=effort(30, 1500))
@given(st.text("ab*/", max_size=8), st.text("ab/\n", max_size=8))
def test_wildcards_have_their_documented_meaning(pattern, name):
    regex = "".join(
        ".*" if len(piece) > 1 else "[^/]*" if piece == "*" else re.escape(piece)
        for piece in re.findall(r"\*{2,}|\*|[^*]", pattern)
    )
    found = matches(pattern, name)
    assert found == (re.fullmatch(regex, name, re.DOTALL) is not None)
    assert not found or name.startswith(literal_part(pattern))


def test_many_wildcards_take_no_time():
    assert not matches("*a" * 100 + "b", "a" * 1000)
    assert matches("**a" * 100, "a" * 300)


@settings(max_examples=effort(30, 1500))
@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"", b"{}", b'{"request": {}}', b"  "]), max_size=6))
def test_any_file_gives_rows_or_an_api_error(pieces):
    body = b"\n".join(pieces)
    found = read(Bucket(x=body))
    whole = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    assert len(found) == len(whole), "positions stay right"
