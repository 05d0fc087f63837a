"""`results` adds members to the lines of collected results: every line is the one that decoding it would give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.result_json import encoded
from batchctl.report.documents import to_json_line
from batchctl.report.results_json import JsonLinesWriter
from batchctl.rows import result_lines
from batchctl.rows.result_lines import lines_with_head
from batchctl.rows.selection import judged

HEAD = {"job": "j", "key": None, "index": None, "verdict": None, "input": None, "attempt": 3}
ANSWER = {"response": {"candidates": [{"content": {"parts": [{"text": 'é \\ "## \x7f\u2028\ud800 \U0001f600\n'}]}}]}}
PLAIN = {"key": "a", "index": 0, "verdict": "OK", **ANSWER}
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_ROWS = st.fixed_dictionaries(
    {"key": st.none() | st.text(), "index": st.none() | st.integers(0, 2**40), "verdict": st.sampled_from(["OK", "NO_TEXT"])},
    optional={"attempt": st.integers(1, 99), "sentWith": _VALUES, "input": st.dictionaries(st.text(), _VALUES, max_size=3)},
).flatmap(lambda head: _VALUES.map(lambda value: {**head, "response": {"candidates": value}}))  # fmt: skip


def _written(folder: Path, rows: list[Mapping[str, Json]]) -> None:
    (folder / "results.jsonl").write_bytes(b"".join(encoded(dict(row)) + b"\n" for row in rows))


def _by_decoding(rows: list[Mapping[str, Json]]) -> bytes:
    return "".join(to_json_line(judged({**HEAD, **row})) for row in rows).encode()


def _printed(folder: Path, *, readable: bool = False) -> bytes:
    with (folder / "printed").open("w+b") as sink:
        writer = JsonLinesWriter(sink, readable=readable)
        for lines in lines_with_head(folder, HEAD):
            writer.write_lines(lines)
        sink.seek(0)
        return sink.read()


@given(rows=st.lists(_ROWS, max_size=6))
def test_any_rows_are_printed_as_if_they_were_decoded(
    rows: list[Mapping[str, Json]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    _written(folder, rows)
    assert _members(_printed(folder)) == _members(_by_decoding(rows))


def _members(lines: bytes) -> list[str]:
    """Each line decoded, with its members in their order. Numbers may be written in two ways: 1e16 and 1e+16."""
    return [repr(json.loads(line)) for line in lines.splitlines()]


@pytest.mark.parametrize(
    "rows",
    [
        [PLAIN, PLAIN],
        [PLAIN, {**PLAIN, "key": None, "index": None, "verdict": "UNKNOWN"}],
        [{"key": "b", "index": 1, "verdict": "INTERNAL", "error": {"code": 13}}],
        [{"key": "b", "index": 1, "verdict": "OK", "input": {"custom_id": 'c"{}\\', "n": [1]}, **ANSWER}] * 2,
        [{"key": "b", "index": 1, "verdict": "OK", "input": {"metadata": {"a": "b"}}, **ANSWER}, PLAIN],
        [{"key": "b", "index": 1, "verdict": "OK", "sentWith": {"model": "m"}, "input": {"a": 1}, **ANSWER}],
        [{"key": "old", "index": 1, **ANSWER}, {"index": 2, "key": "old", **ANSWER}],
        [PLAIN, {"key": "b", "index": 1, "verdict": "OK", "attempt": 1, **ANSWER}],
        [{"key": "b", "index": 1, "verdict": "OK", "attempt": 12, "input": {"a": 1}, **ANSWER}, PLAIN],
    ],
    ids=["plain", "unmatched", "error", "input", "nested", "changed", "earlier release", "merged", "merged with input"],
)  # fmt: skip
@pytest.mark.parametrize("at_once", [1, 2**20])
def test_each_kind_of_line(
    rows: list[Mapping[str, Json]], at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_lines, "BLOCK", at_once)
    _written(tmp_path, rows)
    assert _printed(tmp_path) == _by_decoding(rows)


def test_a_terminal_gets_printable_characters(tmp_path: Path) -> None:
    _written(tmp_path, [PLAIN])
    text = _printed(tmp_path, readable=True).decode()
    assert "é" in text
    assert "\u2028" not in text
    assert json.loads(text) == {**HEAD, **PLAIN}


@pytest.mark.parametrize("at_once", [1, 2**20])
def test_a_line_that_is_no_row_is_named(at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_lines, "BLOCK", at_once)
    (tmp_path / "results.jsonl").write_bytes(encoded(PLAIN) + b"\n[]\n")
    with pytest.raises(ResultsError, match="line 2 is not a result row"):
        list(lines_with_head(tmp_path, HEAD))
