"""Files of rows, read to their end: the summary of a file, and its rows in a stream.

Owns what makes a whole file sound: every line a row, every key once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.disk.safe_open import open_stream
from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.ports.row_reader import RowRules, RowsSummary
from batchctl.model.sources import RequestRow
from batchctl.model.stack import LINE_BYTES
from batchctl.rows.file_reading import FileReading
from batchctl.rows.jsonl import read_lines
from batchctl.rows.key_marks import KeyMarks
from batchctl.rows.line_blocks import HashedBytes, LineBlocks, ReadBytes
from batchctl.rows.row_faults import FoundProblems, row_or_problem, unreadable
from batchctl.rows.summary_cache import LEAST_BYTES, SummaryCache, settings_of

if TYPE_CHECKING:  # for commands that send rows
    from batchctl.rows.checked_files import CheckedFiles


def summarize(
    path: Path,
    kind: Kind,
    line_bytes: int = LINE_BYTES,
    rules: RowRules | None = None,
    *,
    activity: Activity = UNWATCHED,
    cache: Path | None = None,
    checked: CheckedFiles | None = None,
) -> RowsSummary:
    """The summary of a file; with the folder of a cache, that of a large file is kept there. Raises RowsError.

    `checked` gets the findings about a file that is read.
    """
    size = _size(path)
    with activity.running(f"reading {path.name}", size) as flow:
        if cache is None or size is None or size < LEAST_BYTES or not (summaries := SummaryCache(cache)).is_usable():
            return _read(path, kind, line_bytes, rules, ReadBytes(flow), checked)
        settings = settings_of(kind, line_bytes, rules)
        known = summaries.find(path, size, settings)
        if known is not None:
            flow.add(size)
            return known
        content = HashedBytes(flow)
        summary = _read(path, kind, line_bytes, rules, content, checked)
        summaries.keep(content.hexdigest(), size, settings, summary)
        return summary


def _size(path: Path) -> int | None:
    """The bytes of a file, for people who wait; that it cannot be read is found out by reading it."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _read(
    path: Path,
    kind: Kind,
    line_bytes: int,
    rules: RowRules | None,
    content: ReadBytes,
    checked: CheckedFiles | None,
) -> RowsSummary:
    """The summary of a file; `content` has the bytes that it is the summary of. Raises RowsError."""
    shown = None if checked is None else checked.begin()
    reading = FileReading(path, kind, line_bytes, rules, checked=shown)
    repeated = reading.run(content)
    if repeated:
        # Keys may appear twice: now with the keys in question, whose lines errors name.
        content.begin_again()
        shown = None if checked is None else checked.begin()
        reading = FileReading(path, kind, line_bytes, rules, repeated, shown)
        reading.run(content)
    summary = reading.summary()
    if checked is not None and shown is not None:
        checked.keep(path, kind, line_bytes, summary.sha256, shown)
    return summary


def read_rows(path: Path, kind: Kind, line_bytes: int = LINE_BYTES, flow: Flow = UNWATCHED) -> Iterator[RequestRow]:
    """The file's rows, streamed; what comes before its end is worth nothing if the end raises.

    Raises RowsError with all faults, up to `FAULTS_SHOWN` of them with their words, once the file is read.
    """
    found, count = FoundProblems(), 0
    with closing(KeyMarks()) as marks:
        for _, row in _rows_and_problems(path, kind, line_bytes, flow):
            if isinstance(row, RowProblem):
                found.add_fault(row)
                continue
            count += 1
            if row.name is not None:
                marks.add_one(row.name.encode("utf-8"))
            yield row
        repeated = marks.repeated()
    if repeated:
        summarize(path, kind, line_bytes)
    found.raise_faults(count)


def _rows_and_problems(
    path: Path, kind: Kind, line_bytes: int, flow: Flow
) -> Iterator[tuple[int, RequestRow | RowProblem]]:
    """Each line that is not blank, with its number."""
    try:
        with open_stream(path) as stream:
            for line in read_lines(LineBlocks(stream, ReadBytes(flow)), line_bytes):
                yield line.number, row_or_problem(line, kind)
    except OSError as error:
        yield 1, unreadable(error)
