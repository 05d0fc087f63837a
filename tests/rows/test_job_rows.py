"""Rows that are read in blocks are chosen, joined and sent as the same rows one by one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from batchctl.model.capabilities import CAPABILITIES, RowMark
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import ResultsError
from batchctl.model.keys import Account, Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import Location
from batchctl.model.sent_with import SentWith
from batchctl.model.sources import LocalFile
from batchctl.rows import encoded_ahead, file_blocks, line_blocks
from batchctl.rows.encode import RowEncoder
from batchctl.rows.job_rows import FormedRows, JobRows
from batchctl.rows.line_forms import LineForms
from batchctl.rows.reader import RowFiles
from tests.support.row_files import EMBEDDING, FORMS, TEXTS, content, file_of

LINE_BYTES = 2**20
SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING", "description": "é %b"}}}
DEFAULTS: list[dict[str, Any]] = [
    {},
    {"generationConfig": {"maxOutputTokens": 7, "temperature": 1.0}, "labels": {"team": "a"}},
    {"systemInstruction": "Be “brief” \x7f \u2028 \\u00e9.", "generationConfig": {"responseSchema": SCHEMA}},
    {"system_instruction": {"parts": [{"text": "\x01"}]}},
]
CHANGES = [
    SentWith("other"),
    SentWith(request={"generationConfig": {"maxOutputTokens": 99, "temperature": 1e-7}}),
    SentWith(request={"systemInstruction": {"parts": [{"text": "again"}]}}),
]


def job_of(path: Path, kind: Kind, draw: random.Random) -> DesiredJob:
    """A job over a file, on one of the APIs, with any defaults."""
    api = draw.choice(list(Api))
    summary = RowFiles().fingerprint(path, kind)
    defaults = draw.choice(DEFAULTS) if kind is Kind.BATCH_JOB else draw.choice([{}, {"taskType": "CLUSTERING"}])
    place, source = Location("a.yaml"), LocalFile(path, summary.sha256, summary.rows)
    model = draw.choice(["gemini-2.5-flash", "gemini-2.5-flash", "publishers/anthropic/models/claude"])
    digest = "d1:" + "0" * 64
    job = DesiredJob("a", kind, "p", Account(api, "x"), model, source, digest, {}, "a.yaml", place, request=defaults)
    return job.changed_by(draw.choice(CHANGES)) if draw.random() < 0.3 else job


def read(job: DesiredJob, positions: list[int] | None, *, ahead: bool = False) -> tuple[object, ...]:
    """Everything that a job takes from its file, or the error. `ahead`: the upload is written as the rows are read."""
    encoder = RowEncoder(LINE_BYTES)
    assert isinstance(job.source, LocalFile)
    rows = encoder.rows(job, ahead=ahead)
    assert rows is not None
    all_rows, found = list(rows), encoder.encode_file(job, positions)
    with found.content as content:
        content.seek(0)
        return all_rows, found.sha256, content.read()


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineForms, "read", lambda _forms, _block, _around=None: None)


@pytest.mark.parametrize("seed", range(120))
def test_the_rows_are_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    path = tmp_path / "rows.jsonl"
    kind = draw.choice([Kind.BATCH_JOB, Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB])
    others = [form for form in FORMS if form is not EMBEDDING]
    path.write_bytes(file_of(draw, others if kind is Kind.BATCH_JOB else [FORMS[0], EMBEDDING], is_sound=True))
    job = job_of(path, kind, draw)
    assert isinstance(job.source, LocalFile)
    count = job.source.rows or 0
    positions = draw.choice([None, sorted(draw.sample(range(count), draw.randint(0, count)))])
    block = draw.choice([200, 500, 3000])
    monkeypatch.setattr(line_blocks, "BLOCK", block)
    monkeypatch.setattr(file_blocks, "BLOCK", block)
    monkeypatch.setattr(encoded_ahead, "LEAST_BYTES", 0)
    at_once = read(job, positions, ahead=draw.random() < 0.5)
    one_by_one(monkeypatch)
    assert at_once == read(job, positions)


@pytest.mark.parametrize("api", list(Api))
@pytest.mark.parametrize("form", FORMS[:-1])
def test_rows_of_one_form_are_read_at_once(
    form: Callable[..., dict[str, Any]], api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks but the first, whose lines show the form."""
    monkeypatch.setattr(line_blocks, "BLOCK", 3000)
    monkeypatch.setattr(file_blocks, "BLOCK", 3000)
    draw = random.Random(0)
    monkeypatch.setattr(draw, "choice", lambda values: values[0])
    monkeypatch.setattr(draw, "randint", lambda least, _most: least)
    texts = [text for text in TEXTS if "\x7f" not in text and text]
    rows = [form(f"k{number:03}", texts[number % len(texts)], draw) for number in range(300)]
    kind = Kind.EMBEDDINGS_BATCH_JOB if "content" in rows[0].get("request", {}) else Kind.BATCH_JOB
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    job = job_of(path, kind, draw)
    job = DesiredJob(**{**asdict(job), "account": Account(api, "x")})
    assert isinstance(job.source, LocalFile)
    blocks = list(JobRows(job, LINE_BYTES).blocks(job.source))
    assert len(blocks) > 4
    assert all(isinstance(block, FormedRows) for block in blocks[1:])


@pytest.mark.parametrize("api", list(Api))
def test_rows_past_the_last_label_have_none(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchctl.model.row_marks._BASE", 7)
    monkeypatch.setattr(line_blocks, "BLOCK", 500)
    monkeypatch.setattr(file_blocks, "BLOCK", 500)
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": f"t{number}"}) + "\n" for number in range(100)))
    draw = random.Random(0)
    monkeypatch.setattr(draw, "choice", lambda values: values[0])
    job = DesiredJob(**{**asdict(job_of(path, Kind.BATCH_JOB, draw)), "account": Account(api, "x")})
    at_once = read(job, None)
    one_by_one(monkeypatch)
    assert at_once == read(job, None)
    has_labels = CAPABILITIES[api].row_mark is RowMark.LABEL
    assert at_once[2].count(b"labels") == (49 if has_labels else 0)  # type: ignore[attr-defined]


def test_a_schema_whose_texts_differ_is_another_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of a row is judged by its own schema."""
    monkeypatch.setattr(line_blocks, "BLOCK", 2000)
    monkeypatch.setattr(file_blocks, "BLOCK", 2000)
    path = tmp_path / "rows.jsonl"
    names = ["one"] * 60 + ["two"] * 60
    schemas = [{"type": "OBJECT", "properties": {name: {"type": "STRING", "description": name}}} for name in names]
    requests = [{"contents": [content("x")], "generationConfig": {"responseSchema": schema}} for schema in schemas]
    path.write_text("".join(json.dumps({"key": f"k{n}", "request": one}) + "\n" for n, one in enumerate(requests)))
    job = job_of(path, Kind.BATCH_JOB, random.Random(3))
    rows = list(RowEncoder(LINE_BYTES).rows(job) or ())
    assert [row.asked and list(row.asked["responseSchema"]["properties"]) for row in rows] == [[name] for name in names]


@pytest.mark.parametrize("change", [b'{"text": "other"}\n', b"{\n", b'{"key": "k1", "text": "a"}\n' * 2, b""])
def test_a_file_that_changed_is_refused(change: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"key": f"k{number}", "text": "a"}) + "\n" for number in range(5)))
    job = job_of(path, Kind.BATCH_JOB, random.Random(0))
    assert isinstance(job.source, LocalFile)
    path.write_bytes(path.read_bytes()[: -len(change) or -3] + change)
    for reading in (lambda: list(RowEncoder().rows(job) or ()), lambda: read(job, None)):
        with pytest.raises(ResultsError, match="changed while the command ran"):
            reading()
    path.unlink()
    with pytest.raises(ResultsError, match="cannot be read"):
        read(job, None)
