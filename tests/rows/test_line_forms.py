"""Blocks of lines that are read at once give what the same lines give one by one."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.activity import UNWATCHED
from batchctl.model.errors import RowsError
from batchctl.model.forms.line_values import find_values
from batchctl.model.forms.templates import mark_of
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import RowRules
from batchctl.rows import file_blocks, line_blocks, line_forms
from batchctl.rows.line_blocks import LineBlocks, ReadBytes
from batchctl.rows.line_forms import LineForms
from batchctl.rows.reader import RowFiles
from tests.support.row_files import FORMS, content, file_of

DEFAULTS = {"generationConfig": {"maxOutputTokens": 7}, "labels": {"team": "a"}}


def outcome(path: Path, kind: Kind, rules: RowRules | None, line_bytes: int) -> object:
    try:
        return RowFiles().fingerprint(path, kind, line_bytes, rules)
    except RowsError as error:
        return error.problems, error.warnings


@pytest.mark.parametrize("seed", range(150))
def test_the_outcome_is_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(file_of(draw))
    kind = draw.choice([Kind.BATCH_JOB, Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB])
    defaults = DEFAULTS if kind is Kind.BATCH_JOB else {}
    api = draw.choice([*Api, None])
    rules = draw.choice([RowRules(api, defaults), RowRules(api), RowRules(api, is_google_model=False), None])
    block = draw.choice([200, 500, 3000])
    monkeypatch.setattr(line_blocks, "BLOCK", block)
    monkeypatch.setattr(file_blocks, "BLOCK", block)
    line_bytes = draw.choice([2**20, 2**20, 2**20, 150])
    at_once = outcome(path, kind, rules, line_bytes)
    monkeypatch.setattr(LineForms, "read", lambda _forms, _block, _around=None: None)
    assert at_once == outcome(path, kind, rules, line_bytes)


@pytest.mark.parametrize("form", FORMS[:-1])
@pytest.mark.parametrize("ascii_", [True, False])
def test_rows_of_one_form_are_read_at_once(
    form: Callable[..., dict[str, Any]], ascii_: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks but the first, whose lines show the form."""
    monkeypatch.setattr(line_blocks, "BLOCK", 2000)
    monkeypatch.setattr(file_blocks, "BLOCK", 2000)
    draw = random.Random(0)
    monkeypatch.setattr(draw, "choice", lambda values: values[0])
    monkeypatch.setattr(draw, "randint", lambda least, _most: least)
    texts = ["hi", 'a "b"\n', "é Ж 😀", "x" * 50]
    rows = [form(f"k{number:03}", texts[number % len(texts)], draw) for number in range(200)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=ascii_) + "\n" for row in rows), encoding="utf-8")
    counted: list[int] = []
    real = LineForms.read

    def read(forms: LineForms, block: bytes, around: Any = None) -> Any:
        found = real(forms, block, around)
        counted.append(0 if found is None else len(found.keys))
        return found

    monkeypatch.setattr(LineForms, "read", read)
    is_embedding = "content" in rows[0].get("request", {})
    kind = Kind.EMBEDDINGS_BATCH_JOB if is_embedding else Kind.BATCH_JOB
    assert RowFiles().fingerprint(path, kind, rules=RowRules(Api.GEMINI)).rows == 200
    assert all(counted)
    assert sum(counted) > 100


def test_rows_with_a_warning_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hundred are named; the others are read at once."""
    monkeypatch.setattr(line_blocks, "BLOCK", 2000)
    monkeypatch.setattr(file_blocks, "BLOCK", 2000)
    config = {"maxOutputTokens": 3}
    requests = [
        {"contents": [content("x")], "generationConfig": config, "serviceTier": "gold" if number % 40 else "flex"}
        for number in range(500)
    ]
    requests[450]["unknown"] = 1
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"key": f"k{number}", "request": request}) for number, request in enumerate(requests)]
    path.write_text("\n".join(lines))
    problems, warnings = outcome(path, Kind.BATCH_JOB, RowRules(Api.GEMINI), 2**20)  # type: ignore[misc]
    assert [problem.line for problem in problems] == [451]
    assert [warning.line for warning in warnings] == [line for line in range(1, 104) if (line - 1) % 40]
    path.write_text("\n".join(lines[:450]))
    at_once: list[int] = []
    real = LineForms.read

    def read(forms: LineForms, block: bytes, around: Any = None) -> Any:
        found = real(forms, block, around)
        at_once.append(0 if found is None else len(found.keys))
        return found

    monkeypatch.setattr(LineForms, "read", read)
    found = RowFiles().fingerprint(path, Kind.BATCH_JOB, rules=RowRules(Api.GEMINI))
    assert (found.rows, found.output_tokens, len(found.warnings)) == (450, 1350, 100)
    assert sum(at_once) > 200


TRAPS = [
    *(b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\\u0041", b"\\u0022", b"\\ud800", b"\\ude00\\ud83d", b"\\ud83d\\ude00"),
    *(
        b"\x7f",
        b"\\/",
        b"\\u00E9",
        b"\\u00e9",
        b"\\u0000",
        b"\x01",
        b"\t",
        b"%b",
        b"%",
        b"",
        b"\\u000a",
        b"\\u007f",
        b"\\u0080",
    ),
    *(
        b"\\x41",
        b"\\",
        b'\\"',
        b'"',
        b"\\\\",
        b"\\ud83d\\u0041",
        b"\\u07ff",
        b"\\u0800",
        b"\\uffff",
        b"\\ue000",
        b"\\udbff\\udfff",
    ),
    *(
        b"batchctl-r0",
        b"k7",
        b"k" * 256,
        b"k" * 257,
        "é".encode(),
        "\u2028".encode(),
        "\x85".encode(),
        b'x", "text": "y',
    ),
]


INSIDE = b'", "request": {"contents": [{"parts": [{"text": "'
"""What is between the key and the text of a row below."""
TRAPS += [
    *(INSIDE, b"\\" + INSIDE, b"\\\\" + INSIDE, b"a\\" + INSIDE + b',"b', b"a\\" + INSIDE + b'", "b', INSIDE + INSIDE),
    *(
        b'"',
        b'\\""',
        b'a", "b',
        b'"\n"',
        b'a"\n"b',
        b"a\nb",
        b"\\\n",
        b'\\"\n',
        b"\\\x7f",
        b'\\"\x7f"',
        b'a"\x7f"b',
        b"\x7f\x7f",
    ),
    *(
        b"\\u007f",
        b"\\u001f",
        b"\\b\\f\\n\\r\\t",
        b"a" + b"\\u007f" * 3,
        "\u2028\x7f\u2029".encode(),
        "é\\u00e9é".encode(),
    ),
]


@pytest.mark.parametrize("gap", ["key", "text"])
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_between_rows_of_one_form(
    gap: str, trap: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK", 2000)
    monkeypatch.setattr(file_blocks, "BLOCK", 2000)

    def row(key: bytes, text: bytes) -> bytes:
        config = b'{"maxOutputTokens": 5, "responseSchema": {"title": "100% %b"}}'
        request = b'{"contents": [{"parts": [{"text": "%b"}]}], "generationConfig": %b}' % (text, config)
        return b'{"key": "%b", "request": %b}\n' % (key, request)

    lines = [row(b"k%d" % number, b"hi") for number in range(60)]
    lines[40] = row(trap, b"hi") if gap == "key" else row(b"k40", trap)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(lines))
    at_once = outcome(path, Kind.BATCH_JOB, RowRules(Api.GEMINI), 2**20)
    monkeypatch.setattr(LineForms, "read", lambda _forms, _block, _around=None: None)
    assert at_once == outcome(path, Kind.BATCH_JOB, RowRules(Api.GEMINI), 2**20)


@pytest.mark.parametrize(
    "number", ["0", "-0", "7", "-7", "07", "1.0", "1e3", "9" * 18, "9" * 19, "9" * 30, "true", '"7"', "-"]
)
def test_a_number_beside_the_request(number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK", 500)
    monkeypatch.setattr(file_blocks, "BLOCK", 500)
    lines = [f'{{"id": {line}, "text": "x"}}' for line in range(100)]
    lines[90] = f'{{"id": {number}, "text": "x"}}'
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines))
    at_once = outcome(path, Kind.BATCH_JOB, RowRules(Api.VERTEX), 2**20)
    monkeypatch.setattr(LineForms, "read", lambda _forms, _block, _around=None: None)
    assert at_once == outcome(path, Kind.BATCH_JOB, RowRules(Api.VERTEX), 2**20)


def test_a_file_of_many_forms_is_not_tried_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK", 200)
    monkeypatch.setattr(file_blocks, "BLOCK", 200)
    tried: list[int] = []
    learned: list[bytes] = []
    real, real_form = LineForms._even, line_forms.form_of

    def even(forms: LineForms, block: bytes) -> Any:
        tried.append(len(block))
        return real(forms, block)

    def form_of(raw: bytes, *rest: Any) -> Any:
        learned.append(raw)
        return real_form(raw, *rest)

    monkeypatch.setattr(LineForms, "_even", even)
    monkeypatch.setattr(line_forms, "form_of", form_of)
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "".join(json.dumps({"key": f"k{number}", "text": "x", "n": number + 0.5}) + "\n" for number in range(900))
    )
    assert RowFiles().fingerprint(path, Kind.BATCH_JOB).rows == 900
    assert len(tried) < 30
    assert len(learned) < 30


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_blocks_hold_complete_lines(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK", size)
    content = b"a\nbb\n\n" + b"c" * 50 + b"\nd\n" + b"e" * 9
    blocks = LineBlocks(io.BytesIO(content), ReadBytes(UNWATCHED))
    found: list[bytes] = []
    while piece := blocks.block() or blocks.readline(100):
        assert piece.endswith(b"\n") or piece == b"e" * 9 or found == [] or size < 10
        found.append(piece)
    assert b"".join(found) == content
    lines = LineBlocks(io.BytesIO(content), ReadBytes(UNWATCHED))
    assert lines.block() is not None
    assert lines.readline(3) is not None


def test_values_are_found_where_they_are() -> None:
    raw = rb'{"a": "x\"y", "b": [1, "z", {"c": "", "\u0064": ["w"]}], "e": null, "f": {}, "g": "h"}'
    found = {path: raw[start:end] for path, (start, end) in find_values(raw).items()}
    assert found == {
        ("a",): rb"x\"y",
        ("b", 0): b"1",
        ("b", 1): b"z",
        ("b", 2, "c"): b"",
        ("b", 2, "d", 0): b"w",
        ("e",): b"null",
        ("g",): b"h",
    }


def test_a_text_that_looks_like_a_gap_is_read_alone() -> None:
    raw = json.dumps({"key": "a", "text": mark_of(1)}).encode()
    forms = LineForms(Kind.BATCH_JOB)
    value = json.loads(raw)
    forms.learn(raw, value, RowFiles().parse(value, Kind.BATCH_JOB), 0)
    assert forms.read(raw) is None
