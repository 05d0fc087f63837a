"""Where `batchctl results` writes rows: standard output, or a file that is complete or stays as it was."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from batchctl.cli.out_file import open_out
from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json
from batchctl.model.result_columns import Cells
from batchctl.report.results_json import JsonLinesWriter
from batchctl.report.results_parquet import ParquetWriter
from batchctl.report.results_table import CsvWriter, TsvWriter
from batchctl.report.results_text import TextWriter
from batchctl.rows.columns import cells_of

FORMATS = ("jsonl", "json", "csv", "tsv", "parquet", "text")
TABLE_FORMATS = frozenset({"csv", "tsv", "parquet"})
_BY_ENDING = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".txt": "text"}


class RowSink(Struct, frozen=True):
    """Takes rows, one after the other."""

    write: Callable[[Mapping[str, Json]], None]
    close: Callable[[], None]
    write_lines: Callable[[bytes], None] | None = None
    """Takes rows that are lines of JSON already; None in a format of other lines."""


def chosen_format(output: str | None, out: str | None) -> str:
    """The format of `-o`; without it, the one that the ending of the file names, else JSON lines."""
    return output or _BY_ENDING.get(Path(out or "").suffix.lower(), "jsonl")


def open_sink(form: str, out: str | None) -> AbstractContextManager[RowSink]:
    """The sink for `--out`, or for standard output. Raises BatchctlError."""
    return _standard_output(form) if out is None else _file(form, Path(out))


@contextmanager
def _standard_output(form: str) -> Iterator[RowSink]:
    is_terminal = sys.stdout.isatty()
    if form == "parquet" and is_terminal:
        raise UsageError("Parquet is not for a terminal", hint="add --out FILE, or redirect standard output")
    sys.stdout.flush()
    # A stream of text that replaces standard output, such as StringIO, has no buffer of bytes.
    buffer: BinaryIO | None = getattr(sys.stdout, "buffer", None)
    collected = io.BytesIO()
    stream = collected if buffer is None else buffer
    sink = _make_sink(form, stream, encoding=sys.stdout.encoding or "utf-8", is_terminal=is_terminal)
    try:
        yield sink
        sink.close()
    finally:
        if buffer is None:
            sys.stdout.write(collected.getvalue().decode("utf-8", "backslashreplace"))
        stream.flush()


@contextmanager
def _file(form: str, path: Path) -> Iterator[RowSink]:
    with open_out(path) as stream:
        sink = _make_sink(form, stream)
        yield sink
        sink.close()


def _make_sink(form: str, sink: BinaryIO, *, encoding: str = "utf-8", is_terminal: bool = False) -> RowSink:
    match form:
        case "jsonl" | "json":
            is_unicode = encoding.lower().replace("-", "") == "utf8"
            lines = JsonLinesWriter(sink, readable=is_terminal and is_unicode)
            return RowSink(lines.write, lines.close, lines.write_lines)
        case "csv":
            return _table(CsvWriter(sink))
        case "tsv":
            return _table(TsvWriter(sink))
        case "parquet":
            return _table(ParquetWriter(sink))
        case _:
            return _table(TextWriter(sink, encoding if is_terminal else "utf-8"))


def _table(writer: CsvWriter | TsvWriter | ParquetWriter | TextWriter) -> RowSink:
    def write(row: Mapping[str, Json]) -> None:
        cells: Cells = cells_of(row)
        writer.write(cells)

    return RowSink(write, writer.close)
