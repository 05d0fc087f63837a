"""Temporary copies of inputs at Cloud Storage."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence

import pytest

from batchctl.model.activity import UNWATCHED
from batchctl.model.errors import ResultsError
from batchctl.model.kinds import Kind
from batchctl.model.ports.inputs import UNREADABLE, InputRow, SourceFile
from batchctl.model.row_work import ShardLimits
from batchctl.model.sources import RemoteSource, RequestRow
from batchctl.rows.source_copies import SourceCopies, row_of
from tests.support.decisions import job
from tests.support.values import replace

SOURCE = RemoteSource(("gs://b/*.jsonl",), is_divisible=True)
JOB = replace(job(), source=SOURCE)


class Bucket:
    """A provider with rows in files; each file is named by its generation."""

    def __init__(self, *files: list[InputRow], size: int = 100) -> None:
        self.files = {SourceFile(f"gs://b/{number}.jsonl", size, "1"): rows for number, rows in enumerate(files)}
        self.reads = 0
        self.rows_read = 0

    def find_input(self, _source: RemoteSource) -> tuple[SourceFile, ...]:
        return tuple(self.files)

    def read_input(self, files: Sequence[SourceFile]) -> Generator[InputRow]:
        for file in files:
            self.reads += 1
            for row in self.files[file]:
                self.rows_read += 1
                yield row

    def overwrite(self, rows: list[InputRow]) -> None:
        self.files = {replace(file, generation="2"): rows for file in self.files}


def text(number: int, **members: object) -> InputRow:
    request = {"contents": [{"role": "user", "parts": [{"text": f"text {number}"}]}]}
    return InputRow(f"k{number}", request, members)


def copies(bucket: Bucket) -> SourceCopies:
    return SourceCopies(lambda _account: bucket, UNWATCHED)  # type: ignore[arg-type, return-value]


def test_one_download_serves_all_reads() -> None:
    bucket = Bucket([text(1, team="é"), text(2)], [text(3)])
    source = copies(bucket)
    first, second = source.open(JOB, SOURCE), source.open(JOB, SOURCE)
    rows = first.rows()
    assert next(rows) == RequestRow("k1", text(1).request or {}, {"team": "é"})
    assert [row.key for row in second.rows()] == ["k1", "k2", "k3"]
    source.release()
    assert [row.key for row in rows] == ["k2", "k3"], "a reader keeps its copy"
    assert bucket.reads == 2


def test_an_overwritten_file_is_read_again() -> None:
    bucket = Bucket([text(1)])
    source = copies(bucket)
    first = source.open(JOB, SOURCE)
    bucket.overwrite([text(2)])
    assert [row.key for row in source.open(JOB, SOURCE).rows()] == ["k2"]
    assert [row.key for row in first.rows()] == ["k1"]


def test_long_lines_come_in_one_piece() -> None:
    long = InputRow("long", {"contents": "x" * 3_000_000})
    found = list(copies(Bucket([long, text(1)])).open(JOB, SOURCE).rows())
    assert [len(json.dumps(row.request)) for row in found] == [3_000_016, len(json.dumps(text(1).request))]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (InputRow(None, UNREADABLE), "is not a JSON object with a request"),
        (InputRow(None, {"generationConfig": {}, "generation_config": {}}, in_body=False), "keep one"),
    ],
)
def test_a_row_that_cannot_be_sent_is_named(row: InputRow, reason: str) -> None:
    if "keep one" in reason:
        row = InputRow(None, {"contents": [], **(row.request or {})})
    with pytest.raises(ResultsError, match=r"row 2 of gs://b/1\.jsonl cannot be sent: ") as caught:
        copies(Bucket([text(1)], [text(2), row])).open(JOB, SOURCE)
    assert reason in caught.value.message
    assert caught.value.code == "InvalidInput"


@pytest.mark.parametrize(
    ("row", "kind", "request_"),
    [
        (InputRow(None, {"contents": [], "generation_config": {}}), Kind.BATCH_JOB, {"contents": [], "generationConfig": {}}),
        (InputRow(None, {"messages": [], "tool_config": {}}), Kind.BATCH_JOB, {"messages": [], "tool_config": {}}),
        (InputRow(None, {"contents": [], "safety_settings": []}, in_body=True), Kind.BATCH_JOB, {"contents": [], "safety_settings": []}),
        (InputRow(None, {"content": {}, "task_type": "X"}), Kind.EMBEDDINGS_BATCH_JOB, {"content": {}, "taskType": "X"}),
    ],
    ids=["Gemini", "another publisher", "body", "embeddings"],
)  # fmt: skip
def test_names_of_members_are_those_of_local_rows(row: InputRow, kind: Kind, request_: dict[str, object]) -> None:
    assert row_of(row, kind).request == request_


@pytest.mark.parametrize(
    ("size", "limits", "exceeds", "read"),
    [
        (100, ShardLimits(bytes=100), False, 0),
        (101, ShardLimits(bytes=100), True, 0),
        (39_999, ShardLimits(rows=1000), False, 0),
        (93 * 700, ShardLimits(rows=1000), False, 1000),
        (93 * 900, ShardLimits(rows=1000), True, 1000),
        (93 * 5000, ShardLimits(), False, 0),
    ],
    ids=["size", "too large", "few bytes", "few rows", "many rows", "no limit"],
)
def test_a_source_that_may_be_too_large_for_one_job(size: int, limits: ShardLimits, exceeds: bool, read: int) -> None:
    bucket = Bucket([text(number) for number in range(2000)], size=size)
    assert copies(bucket).may_exceed(replace(JOB, sharding=limits), SOURCE) is exceeds
    assert bucket.rows_read == read
