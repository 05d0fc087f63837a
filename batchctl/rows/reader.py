"""Rows from local JSONL files.

Owns what makes a whole file sound: every line a row, every key once. Implements RowReader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from batchctl.disk.opening import open_stream
from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.canonical import RowsHasher
from batchctl.model.desired import LINE_BYTES, Json, Kind, RequestRow
from batchctl.model.errors import RowProblem, RowsError
from batchctl.model.ports import RowsSummary
from batchctl.model.row_hashes import RowHashes
from batchctl.rows.jsonl import Line, read_lines, shown
from batchctl.rows.row import parse_row

FAULTS_SHOWN = 20
"""Faults collected before reading stops: enough to see the pattern, and a file of another kind ends soon."""


class RowFiles:
    """Implements RowReader."""

    def __init__(self, activity: Activity = UNWATCHED) -> None:
        self._activity = activity

    def fingerprint(self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES) -> RowsSummary:
        hasher, hashes = RowsHasher(), RowHashes()
        count = 0
        members: Counter[str] = Counter()
        with self._activity.running(f"reading {path.name}", _size(path)) as flow:
            for row in read_rows(path, kind, line_bytes, flow):
                hasher.add(row)
                hashes.add(row)
                count += 1
                members.update(row.request.keys())
        return RowsSummary(hasher.hexdigest(), count, members, hashes.text())

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        return parse_row(value, kind)


def _size(path: Path) -> int | None:
    """The bytes of a file, for people who wait; that it cannot be read is found out by reading it."""
    try:
        return path.stat().st_size
    except OSError:
        return None


class _Counted:
    """A stream whose bytes are counted as they are read."""

    def __init__(self, stream: BinaryIO, flow: Flow) -> None:
        self._stream = stream
        self._flow = flow

    def readline(self, size: int, /) -> bytes:
        raw = self._stream.readline(size)
        self._flow.add(len(raw))
        return raw


def read_rows(path: Path, kind: Kind, line_bytes: int = LINE_BYTES, flow: Flow = UNWATCHED) -> Iterator[RequestRow]:
    """The file's rows, streamed; what comes before its end is worth nothing if the end raises.

    Raises RowsError with all faults, up to `FAULTS_SHOWN`, once the file is read or there are too many.
    """
    problems: list[RowProblem] = []
    empty = True
    for found in _rows_and_problems(path, kind, line_bytes, flow):
        empty = False
        if isinstance(found, RequestRow):
            yield found
        elif len(problems) < FAULTS_SHOWN:
            problems.append(found)
        else:
            problems.append(RowProblem(found.line, "and more: nothing further was checked"))
            break
    if empty:
        problems.append(RowProblem(1, "the file has no rows"))
    if problems:
        raise RowsError(problems)


def _rows_and_problems(path: Path, kind: Kind, line_bytes: int, flow: Flow) -> Iterator[RequestRow | RowProblem]:
    lines: dict[str, int] = {}
    try:
        with open_stream(path) as stream:
            for line in read_lines(_Counted(stream, flow), line_bytes):
                yield _row_or_problem(line, kind, lines)
    except OSError as error:
        yield RowProblem(1, f"the file cannot be read: {error.strerror}")


def _row_or_problem(line: Line, kind: Kind, lines: dict[str, int]) -> RequestRow | RowProblem:
    """`lines` holds the keys so far, each with its line, and takes in this one."""
    if line.fault is not None:
        return RowProblem(line.number, line.fault)
    try:
        row = parse_row(line.value, kind)
    except ValueError as error:
        return RowProblem(line.number, str(error))
    name = row.name
    first = line.number if name is None else lines.setdefault(name, line.number)
    if first != line.number:
        what = "key" if row.key is not None else "custom_id"
        return RowProblem(line.number, f"{what} {shown(name)} is used on line {first} already")
    return row
