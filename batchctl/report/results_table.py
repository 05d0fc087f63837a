"""Results as CSV and TSV, for spreadsheets and programs. Owns how a cell is escaped."""

from __future__ import annotations

import csv
import json
import re
from typing import BinaryIO

from batchctl.model.result_columns import COLUMNS, Cell, Cells

_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""A spreadsheet runs a cell that begins like this, in some versions also with the wide forms."""
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?%?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters except tab and line ends, and lone surrogates, which UTF-8 does not have."""
_TSV_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def cell_text(value: Cell) -> str:
    """A cell as text. A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, int):
        return str(value)
    text = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


class CsvWriter:
    """CSV with a header line, in UTF-8: quoted where needed, a quote doubled, line ends inside of cells kept."""

    def __init__(self, sink: BinaryIO) -> None:
        self._writer = csv.writer(_Utf8(sink), lineterminator="\n")
        self._writer.writerow([column.name for column in COLUMNS])

    def write(self, cells: Cells) -> None:
        """Write one row."""
        self._writer.writerow([cell_text(cells.get(column.name)) for column in COLUMNS])

    def close(self) -> None:
        """Nothing is left to write."""


class _Utf8:
    """A stream of bytes as the stream of text that a CSV writer needs."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink

    def write(self, text: str) -> int:
        return self._sink.write(text.encode())


class TsvWriter:
    r"""TSV with a header line, in UTF-8: one line per row; `\t`, `\n`, `\r` and `\\` in cells."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._write([column.name for column in COLUMNS])

    def write(self, cells: Cells) -> None:
        """Write one row."""
        self._write([cell_text(cells.get(column.name)).translate(_TSV_ESCAPES) for column in COLUMNS])

    def close(self) -> None:
        """Nothing is left to write."""

    def _write(self, texts: list[str]) -> None:
        self._sink.write("\t".join(texts).encode() + b"\n")
