"""The formats of results: what a cell becomes, what a terminal gets, and that Parquet stays small in memory."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pyarrow import parquet

from batchctl.model.result_columns import COLUMNS
from batchctl.report import results_parquet
from batchctl.report.results_json import JsonLinesWriter
from batchctl.report.results_parquet import ParquetWriter
from batchctl.report.results_table import CsvWriter, TsvWriter, cell_text
from batchctl.report.results_text import TextWriter

EVIL = "a\x1b[31m\u202eb\x9b ##[error] \ud800 \x00"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (7, "7"),
        (-7, "-7"),
        ((0.5, -1.0), "[0.5,-1.0]"),
        ("plain", "plain"),
        ("", ""),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("- a list", "'- a list"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\x00=1+1", "\\x00=1+1"),
        ("-1", "-1"),
        ("+3,5", "+3,5"),
        ("-1.5e-3", "-1.5e-3"),
        ("-5%", "-5%"),
        ("-1\n=2", "'-1\n=2"),
        (EVIL, r"a\x1b[31m\u202eb\x9b ##[error] \ud800 \x00"),
    ],
)
def test_a_cell_neither_runs_nor_acts(value: str | int | tuple[float, ...] | None, text: str) -> None:
    assert cell_text(value) == text


def test_csv_reads_back() -> None:
    sink = io.BytesIO()
    writer = CsvWriter(sink)
    texts = ['say "hi", twice', "two\nlines", "two\r\nlines", "tab\there", "\u00fc \U0001f600"]
    for text in texts:
        writer.write({"text": text})
    rows = list(csv.DictReader(io.StringIO(sink.getvalue().decode(), newline="")))
    assert [row["text"] for row in rows] == texts


def test_tsv_has_a_line_and_all_cells_for_each_row() -> None:
    sink = io.BytesIO()
    writer = TsvWriter(sink)
    writer.write({"key": "a\\b", "text": "x\ty\nz\r"})
    lines = sink.getvalue().decode().split("\n")
    assert [len(line.split("\t")) for line in lines[:-1]] == [len(COLUMNS)] * 2
    assert r"a\\b" in lines[1]
    assert r"x\ty\nz\r" in lines[1]


def test_a_terminal_gets_readable_json_that_does_not_act() -> None:
    row = {"text": f"\u00fc \u6f22 {EVIL} \x7f"}
    sink = io.BytesIO()
    JsonLinesWriter(sink, readable=True).write(row)
    line = sink.getvalue().decode()
    assert "\u00fc \u6f22 a" in line
    assert line[:-1].isprintable()
    assert "##[" not in line
    assert json.loads(line) == row
    plain = io.BytesIO()
    JsonLinesWriter(plain, readable=False).write(row)
    assert plain.getvalue().isascii()
    assert json.loads(plain.getvalue()) == row


def test_text_does_not_act_on_a_terminal_or_a_runner() -> None:
    sink = io.BytesIO()
    TextWriter(sink).write({"key": EVIL, "verdict": "OK", "text": f"tab\there\r\n{EVIL}\u00fc\n\n", "index": 3})
    title, first, second, blank, end = sink.getvalue().decode().split("\n")
    assert (first, blank, end) == ("tab\there", "", "")
    assert title.isprintable()
    assert second.isprintable()
    assert second.endswith("\u00fc")
    assert "##[" not in title + second


@pytest.mark.parametrize(
    ("cells", "block"),
    [
        ({"index": 4, "verdict": "OK", "text": "x"}, "[(row 4)] OK\nx\n\n"),
        ({"verdict": "NO_TEXT"}, "[(no key)] NO_TEXT\n\n"),
        ({"job": "j", "key": "k", "verdict": "X", "errorMessage": "bad"}, "[j/k] X\nerror: bad\n\n"),
        ({"key": "k", "verdict": "OK", "embedding": (0.5, 1.0)}, "[k] OK\n2 numbers: 0.5, 1\n\n"),
        ({"key": "k", "verdict": "OK", "embedding": (0.0,) * 9}, f"[k] OK\n9 numbers: {'0, ' * 8}…\n\n"),
    ],
)
def test_blocks_of_text(cells: dict, block: str) -> None:
    sink = io.BytesIO()
    TextWriter(sink).write(cells)
    assert sink.getvalue().decode() == block


def test_a_terminal_of_another_encoding_gets_escapes() -> None:
    sink = io.BytesIO()
    TextWriter(sink, "latin-1").write({"key": "k", "verdict": "OK", "text": "\u00fc\u6f22"})
    assert sink.getvalue() == b"[k] OK\n\xfc\\u6f22\n\n"


def test_parquet_writes_groups_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_parquet, "_ROWS_HELD", 10)
    monkeypatch.setattr(results_parquet, "_CHARACTERS_HELD", 1000)
    sink = io.BytesIO()
    writer = ParquetWriter(sink)
    for number in range(25):
        writer.write({"key": str(number), "index": number, "text": "lone \ud800" if number else "x" * 2000})
    writer.close()
    file = parquet.ParquetFile(io.BytesIO(sink.getvalue()))
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [1, 10, 10, 4]
    assert file.read().column("text").to_pylist()[1] == "lone \ufffd"


def test_parquet_without_rows_has_its_columns() -> None:
    sink = io.BytesIO()
    ParquetWriter(sink).close()
    assert parquet.read_table(io.BytesIO(sink.getvalue())).num_rows == 0
