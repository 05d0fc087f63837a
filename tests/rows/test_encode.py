"""What is sent: defaults under each row, and a file that is still the one that was digested."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.keys import Account, Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import Location
from batchctl.model.ports.inputs import InputEncoder, InputRow
from batchctl.model.request.merging import with_defaults
from batchctl.model.row_marks import labels_of, position_of_labels
from batchctl.model.sources import InlineRows, LocalFile, RemoteSource, RequestRow, Source, UploadedFile
from batchctl.rows.encode import RowEncoder
from batchctl.rows.reader import RowFiles
from tests.support.values import replace

ENCODER: InputEncoder = RowEncoder()
BATCH, EMBED = Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]
LABELS = {"batchctl-row-ones": "r0", "batchctl-row-thousands": "r0"}


def job_of(source: Source, kind: Kind = BATCH, **request: object) -> DesiredJob:
    account = Account(Api.GEMINI, "emulator")
    place = Location("a.yaml")
    return DesiredJob("a", kind, "p", account, "m", source, "d1:" + "0" * 64, {}, "a.yaml", place, request=request)


def rows_of(job: DesiredJob) -> Iterator[InputRow]:
    found = ENCODER.rows(job)
    assert found is not None
    return found


def encoded(job: DesiredJob) -> tuple[str, bytes]:
    found = ENCODER.encode_file(job)
    with found.content as content:
        content.seek(0)
        return found.sha256, content.read()


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
    assert with_defaults(defaults, request_, Kind.BATCH_JOB) == merged
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
    assert ENCODER.inline_rows(job).rows == (
        RequestRow("a", {"systemInstruction": brief, "generationConfig": config, "contents": CONTENTS}),
        RequestRow(
            "b",
            {"systemInstruction": {"parts": []}, "generationConfig": config | {"temperature": 1}, "contents": CONTENTS},
        ),
    )


def test_a_written_out_system_instruction_stays() -> None:
    job = job_of(InlineRows((RequestRow("a", {"contents": CONTENTS}),)), systemInstruction={"parts": [{"text": "x"}]})
    assert ENCODER.inline_rows(job).rows[0].request["systemInstruction"] == {"parts": [{"text": "x"}]}


def test_embeddings_get_their_defaults(tmp_path: Path) -> None:
    source = file_of(tmp_path / "e.jsonl", {"key": "a", "text": "one"}, kind=EMBED)
    job = job_of(source, EMBED, taskType="RETRIEVAL_DOCUMENT", title="t", outputDimensionality=64)
    _, content = encoded(job)
    assert json.loads(content) == {
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
    sha256, content = encoded(job_of(source))
    assert sha256 == hashlib.sha256(content).hexdigest()
    lines = content.decode().splitlines()
    assert lines[0] == '{"key":"b","request":{"contents":[{"role":"user","parts":[{"text":"é"}]}]}}'
    assert list(json.loads(lines[1])["request"]["generationConfig"]["responseSchema"]["properties"]) == ["z", "a"]
    assert len(lines) == 2


@pytest.mark.parametrize("content", [b"", b'{"key": "a", "text": "other"}\n', b"{\n", None])
def test_a_file_that_changed_is_not_sent(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "r.jsonl"
    source = file_of(path, {"key": "a", "text": "one"})
    path.write_bytes(content) if content is not None else path.unlink()
    with pytest.raises(ResultsError, match="changed while the command ran") as caught:
        encoded(job_of(source))
    assert (caught.value.code, caught.value.exit_code, bool(caught.value.hint)) == ("InputChanged", 1, True)
    with pytest.raises(ResultsError, match="changed while the command ran"):
        list(rows_of(job_of(source)))


def test_spelling_a_file_anew_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    source = file_of(path, {"key": "a", "text": "one"})
    path.write_bytes(b'\xef\xbb\xbf{"text":"one","key":"a"}\r\n')
    encoded(job_of(source))
    assert [row.key for row in rows_of(job_of(source))] == ["a"]


@pytest.mark.parametrize(
    ("model", "request_", "line"),
    [
        (
            "gemini-2.5-flash",
            {"contents": CONTENTS, "labels": {"team": "x"}},
            {"key": "a", "request": {"contents": CONTENTS, "labels": {"team": "x", **LABELS}}},
        ),
        (
            "gemini-2.5-flash",
            {"contents": CONTENTS},
            {"key": "a", "request": {"contents": CONTENTS, "labels": LABELS}},
        ),
        (
            "gemini-embedding-001",
            {"content": CONTENTS[0]},
            {"key": "a", "request": {"content": CONTENTS[0]}},
        ),
    ],
    ids=["labels of its own", "no labels", "an embedding, which has no labels"],
)
def test_a_row_on_vertex_is_known_by_its_key_and_by_labels(
    tmp_path: Path, model: str, request_: dict, line: dict
) -> None:
    account = Account(Api.VERTEX, "emulator", "p", "l")
    kind = EMBED if "content" in request_ else BATCH
    source = file_of(tmp_path / "rows.jsonl", {"key": "a", "request": request_}, kind=kind)
    job = replace(job_of(source), account=account, model=model)
    _, content = encoded(job)
    assert json.loads(content) == line
    assert [row.key for row in rows_of(job)] == ["a"]


def test_every_row_has_its_own_position(tmp_path: Path) -> None:
    rows = [{"key": key, "text": "hi"} for key in "abc"]
    source = file_of(tmp_path / "rows.jsonl", *rows)
    _, content = encoded(replace(job_of(source), account=Account(Api.VERTEX, "emulator", "p", "l")))
    labels = [json.loads(line)["request"]["labels"] for line in content.splitlines()]
    ones = [{"batchctl-row-ones": f"r{number}", "batchctl-row-thousands": "r0"} for number in range(3)]
    assert labels == ones


def test_no_label_has_more_than_a_thousand_values() -> None:
    found = [labels_of(position) for position in range(200_000)]
    values = {name: {labels[name] for labels in found} for name in found[0]}
    assert {name: len(seen) for name, seen in values.items()} == {
        "batchctl-row-ones": 1000,
        "batchctl-row-thousands": 200,
    }
    assert not any(text.lstrip("-").isdigit() for seen in values.values() for text in seen)
    assert [position_of_labels(labels) for labels in found] == list(range(200_000))
    assert labels_of(10**6) == {}


@pytest.mark.parametrize(
    ("api", "model", "row", "line"),
    [
        (
            Api.GEMINI,
            "m",
            {"request": {"contents": CONTENTS}},
            {"key": "batchctl-r0", "request": {"contents": CONTENTS}},
        ),
        (
            Api.VERTEX,
            "m",
            {"id": 7, "lang": "fr", "request": {"contents": CONTENTS}},
            {"key": "batchctl-r0", "request": {"contents": CONTENTS, "labels": LABELS}},
        ),
        (
            Api.VERTEX,
            "publishers/anthropic/models/c",
            {"custom_id": "r1", "request": {"messages": [1], "service_tier": "x"}},
            {"custom_id": "r1", "request": {"messages": [1], "service_tier": "x"}},
        ),
        (
            Api.VERTEX,
            "anthropic/c",
            {"key": "k", "request": {"messages": [1]}},
            {"custom_id": "k", "request": {"messages": [1]}},
        ),
        (
            Api.VERTEX,
            "anthropic/c",
            {"request": {"messages": [1]}},
            {"custom_id": "batchctl-r0", "request": {"messages": [1]}},
        ),
        (
            Api.VERTEX,
            "meta/llama",
            {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [1]}},
            {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [1]}},
        ),
        (
            Api.VERTEX,
            "meta/llama",
            {"body": {"messages": [1]}},
            {"custom_id": "batchctl-r0", "body": {"messages": [1]}},
        ),
    ],
)
def test_a_row_without_a_key_has_a_name_on_its_way(tmp_path: Path, api: Api, model: str, row: dict, line: dict) -> None:
    source = file_of(tmp_path / "rows.jsonl", row)
    job = replace(job_of(source), account=Account(api, "emulator", "p", "l"), model=model)
    _, content = encoded(job)
    assert json.loads(content) == line
    (found,) = rows_of(job)
    assert (found.key, found.members) == (
        row.get("key"),
        {name: value for name, value in row.items() if name not in ("key", "request", "body")},
    )
    assert found.sent == {name: line[name] for name in ("key", "custom_id") if name in line}
    assert (found.request is None) == (api is Api.GEMINI)


def test_what_stands_alone_is_sent_as_a_list(tmp_path: Path) -> None:
    """Vertex's importer fails a job whose rows do not all have one type for a member."""
    request = {"contents": {"role": "user", "parts": {"text": "hi"}}, "systemInstruction": {"parts": {"text": "s"}}}
    source = file_of(tmp_path / "rows.jsonl", {"key": "a", "request": request})
    _, content = encoded(job_of(source))
    sent = {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": "s"}]}}
    assert json.loads(content)["request"] == sent
    assert ENCODER.inline_rows(job_of(InlineRows((RequestRow("a", request),)))).rows[0].request == sent


def test_rows_are_known_where_the_input_is(tmp_path: Path) -> None:
    rows = (RequestRow("b", {}), RequestRow("a", {}, {"metadata": {"n": 1}}))
    found = list(rows_of(job_of(InlineRows(rows))))
    assert [(row.key, row.request, row.members) for row in found] == [
        ("b", None, {}),
        ("a", None, {"metadata": {"n": 1}}),
    ]
    source = file_of(tmp_path / "r.jsonl", {"key": "y", "text": "1"}, {"key": "x", "text": "2"})
    assert [row.key for row in rows_of(job_of(source))] == ["y", "x"]
    with pytest.raises(ResultsError):
        list(rows_of(job_of(replace(source, sha256="0"))))
    assert ENCODER.rows(job_of(UploadedFile("files/1"))) is None
    assert ENCODER.rows(job_of(RemoteSource(("gs://b/o",)))) is None


def test_only_inline_rows_are_inline() -> None:
    with pytest.raises(TypeError, match="a has no inline rows"):
        ENCODER.inline_rows(job_of(UploadedFile("files/1")))


def test_a_rows_own_response_schema_replaces_the_default_whole() -> None:
    defaults = {"generationConfig": {"temperature": 0, "responseSchema": {"type": "OBJECT", "required": ["a"]}}}
    row = {"contents": [], "generationConfig": {"responseSchema": {"type": "STRING", "nullable": None}}}
    assert with_defaults(defaults, row, Kind.BATCH_JOB)["generationConfig"] == {
        "temperature": 0,
        "responseSchema": {"type": "STRING", "nullable": None},
    }
