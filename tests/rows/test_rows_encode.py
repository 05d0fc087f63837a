"""What is sent: defaults under each row, and a file that is still the one that was digested."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from batchctl.model.desired import (
    DesiredJob,
    InlineRows,
    Kind,
    LocalFile,
    Location,
    RemoteSource,
    RequestRow,
    Source,
    UploadedFile,
)
from batchctl.model.errors import ResultsError
from batchctl.model.keys import Account, Api
from batchctl.model.ports import InputEncoder
from batchctl.rows.encode import RowEncoder, with_defaults
from batchctl.rows.reader import RowFiles

ENCODER: InputEncoder = RowEncoder()
BATCH, EMBED = Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]


def job_of(source: Source, kind: Kind = BATCH, **request: object) -> DesiredJob:
    account = Account(Api.GEMINI, "emulator")
    place = Location("a.yaml")
    return DesiredJob("a", kind, "p", account, "m", source, "d1:" + "0" * 64, {}, "a.yaml", place, request=request)


def file_of(path: Path, *lines: object, kind: Kind = BATCH) -> LocalFile:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = RowFiles().fingerprint(path, kind)
    return LocalFile(path, found.sha256, found.rows)


@pytest.mark.parametrize(
    ("defaults", "request_", "merged"),
    [
        ({}, {"a": None, "b": {"c": None}}, {"a": None, "b": {"c": None}}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1, "b": 1}, {"a": None}, {"b": 1}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3, "z": 4}}, {"a": {"x": 1, "y": 3, "z": 4}}),
        ({"a": {"x": 1}}, {"a": {"x": None}}, {"a": {}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1]}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": 1}, {"c": {"d": {"e": None, "f": 0}}}, {"a": 1, "c": {"d": {"f": 0}}}),
    ],
)
def test_the_row_wins_over_the_defaults(defaults: dict, request_: dict, merged: dict) -> None:
    before = json.dumps([defaults, request_])
    assert with_defaults(defaults, request_) == merged
    assert json.dumps([defaults, request_]) == before


def test_inline_rows_get_the_defaults() -> None:
    rows = (
        RequestRow("a", {"contents": CONTENTS}),
        RequestRow(
            "b", {"contents": CONTENTS, "generationConfig": {"temperature": 1}, "systemInstruction": {"parts": []}}
        ),
    )
    job = job_of(
        InlineRows(rows), systemInstruction="Be brief.", generationConfig={"temperature": 0, "max_output_tokens": 5}
    )
    config = {"temperature": 0, "maxOutputTokens": 5}
    brief = {"parts": [{"text": "Be brief."}]}
    assert ENCODER.inline_rows(job) == (
        RequestRow("a", {"systemInstruction": brief, "generationConfig": config, "contents": CONTENTS}),
        RequestRow(
            "b",
            {"systemInstruction": {"parts": []}, "generationConfig": config | {"temperature": 1}, "contents": CONTENTS},
        ),
    )


def test_a_written_out_system_instruction_stays() -> None:
    job = job_of(InlineRows((RequestRow("a", {"contents": CONTENTS}),)), systemInstruction={"parts": [{"text": "x"}]})
    assert ENCODER.inline_rows(job)[0].request["systemInstruction"] == {"parts": [{"text": "x"}]}


def test_embeddings_get_their_defaults(tmp_path: Path) -> None:
    source = file_of(tmp_path / "e.jsonl", {"key": "a", "text": "one"}, kind=EMBED)
    into = io.BytesIO()
    job = job_of(source, EMBED, taskType="RETRIEVAL_DOCUMENT", title="t", outputDimensionality=64)
    ENCODER.encode_file(job, source, into)
    assert json.loads(into.getvalue()) == {
        "key": "a",
        "request": {
            "content": {"parts": [{"text": "one"}]},
            "taskType": "RETRIEVAL_DOCUMENT",
            "title": "t",
            "outputDimensionality": 64,
        },
    }


def test_a_file_is_sent_row_by_row_in_its_order(tmp_path: Path) -> None:
    schema = {"properties": {"z": {}, "a": {}}}
    written = {"contents": CONTENTS, "generationConfig": {"responseSchema": schema}}
    source = file_of(tmp_path / "r.jsonl", {"key": "b", "text": "é"}, {"key": "a", "request": written})
    into = io.BytesIO()
    sha256 = ENCODER.encode_file(job_of(source), source, into)
    assert sha256 == hashlib.sha256(into.getvalue()).hexdigest()
    lines = into.getvalue().decode().splitlines()
    assert lines[0] == '{"key":"b","request":{"contents":[{"role":"user","parts":[{"text":"é"}]}]}}'
    assert list(json.loads(lines[1])["request"]["generationConfig"]["responseSchema"]["properties"]) == ["z", "a"]
    assert len(lines) == 2


@pytest.mark.parametrize("content", [b"", b'{"key": "a", "text": "other"}\n', b"{\n", None])
def test_a_file_that_changed_is_not_sent(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "r.jsonl"
    source = file_of(path, {"key": "a", "text": "one"})
    path.write_bytes(content) if content is not None else path.unlink()
    with pytest.raises(ResultsError, match="changed while the command ran") as caught:
        ENCODER.encode_file(job_of(source), source, io.BytesIO())
    assert (caught.value.code, caught.value.exit_code, bool(caught.value.hint)) == ("InputChanged", 1, True)
    assert ENCODER.keys(job_of(source)) is None


def test_spelling_a_file_anew_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    source = file_of(path, {"key": "a", "text": "one"})
    path.write_bytes(b'\xef\xbb\xbf{"text":"one","key":"a"}\r\n')
    ENCODER.encode_file(job_of(source), source, io.BytesIO())
    assert ENCODER.keys(job_of(source)) == ["a"]


@pytest.mark.parametrize(
    ("model", "request_", "line"),
    [
        (
            "gemini-2.5-flash",
            {"contents": CONTENTS, "labels": {"team": "x"}},
            {"request": {"contents": CONTENTS, "labels": {"team": "x", "batchctl-row": "0"}}},
        ),
        (
            "gemini-2.5-flash",
            {"contents": CONTENTS},
            {"request": {"contents": CONTENTS, "labels": {"batchctl-row": "0"}}},
        ),
        (
            "gemini-embedding-001",
            {"content": CONTENTS[0]},
            {"key": "a", "request": {"content": CONTENTS[0]}},
        ),
    ],
    ids=["labels of its own", "no labels", "an embedding, which has no labels"],
)
def test_a_row_on_an_api_without_keys_is_known_by_a_label(
    tmp_path: Path, model: str, request_: dict, line: dict
) -> None:
    account = Account(Api.VERTEX, "emulator", "p", "l")
    kind = EMBED if "content" in request_ else BATCH
    source = file_of(tmp_path / "rows.jsonl", {"key": "a", "request": request_}, kind=kind)
    into = io.BytesIO()
    job = replace(job_of(source), account=account, model=model)
    ENCODER.encode_file(job, source, into)
    assert json.loads(into.getvalue()) == line
    assert ENCODER.keys(job) == ["a"]


def test_every_row_has_its_own_position(tmp_path: Path) -> None:
    rows = [{"key": key, "text": "hi"} for key in "abc"]
    source = file_of(tmp_path / "rows.jsonl", *rows)
    into = io.BytesIO()
    ENCODER.encode_file(replace(job_of(source), account=Account(Api.VERTEX, "emulator", "p", "l")), source, into)
    labels = [json.loads(line)["request"]["labels"] for line in into.getvalue().splitlines()]
    assert labels == [{"batchctl-row": "0"}, {"batchctl-row": "1"}, {"batchctl-row": "2"}]


def test_keys_are_known_where_the_input_is(tmp_path: Path) -> None:
    rows = (RequestRow("b", {}), RequestRow("a", {}))
    assert ENCODER.keys(job_of(InlineRows(rows))) == ("b", "a")
    source = file_of(tmp_path / "r.jsonl", {"key": "y", "text": "1"}, {"key": "x", "text": "2"})
    assert ENCODER.keys(job_of(source)) == ["y", "x"]
    assert ENCODER.keys(job_of(replace(source, sha256="0"))) is None
    assert ENCODER.keys(job_of(UploadedFile("files/1"))) is None
    assert ENCODER.keys(job_of(RemoteSource(("gs://b/o",)))) is None


def test_only_inline_rows_are_inline() -> None:
    with pytest.raises(TypeError, match="a has no inline rows"):
        ENCODER.inline_rows(job_of(UploadedFile("files/1")))


def test_a_rows_own_response_schema_replaces_the_default_whole() -> None:
    defaults = {"generationConfig": {"temperature": 0, "responseSchema": {"type": "OBJECT", "required": ["a"]}}}
    row = {"contents": [], "generationConfig": {"responseSchema": {"type": "STRING", "nullable": None}}}
    assert with_defaults(defaults, row)["generationConfig"] == {
        "temperature": 0,
        "responseSchema": {"type": "STRING", "nullable": None},
    }
