"""Rows from local JSONL files.

Owns what makes a whole file sound: every line a row, every key once. Implements RowReader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from batchctl.disk.safe_open import open_stream
from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.canonical import RowsHasher
from batchctl.model.chain import Obstacle
from batchctl.model.desired import LINE_BYTES, Json, Kind, RequestRow
from batchctl.model.errors import RowProblem, RowsError, UnknownRowForm
from batchctl.model.ports import MadeRows, RowRules, RowsOrder, RowsSummary
from batchctl.model.request.problems import WARNINGS, Fault, Problem
from batchctl.model.request.rules import most_output
from batchctl.model.row_hashes import RowHashes
from batchctl.rows.chain_files import ChainFiles
from batchctl.rows.checks import RowChecker, as_row_problem, sent_request
from batchctl.rows.jsonl import Line, read_lines, shown
from batchctl.rows.row import parse_row

FAULTS_SHOWN = 100
"""Faults of one file that are kept with their words; of all others there is the number."""
_FORMS = 'one row per line: {"key": …, "text": …} or {"key": …, "request": …}'
_MORE = "correct the ones above, then run the command again"


class RowFiles:
    """Implements RowReader."""

    def __init__(self, activity: Activity = UNWATCHED, *, keeps_made_rows: bool = True) -> None:
        """`keeps_made_rows`: the rows of chains are written into the results folder, and not into a temporary one."""
        self._activity = activity
        self._chains = ChainFiles(activity, is_kept=keeps_made_rows)

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        with self._activity.running(f"reading {path.name}", _size(path)) as flow:
            return self._fingerprint(_rows_and_problems(path, kind, line_bytes, flow), kind, rules)

    def _fingerprint(
        self, rows: Iterator[tuple[int, RequestRow | RowProblem]], kind: Kind, rules: RowRules | None
    ) -> RowsSummary:
        hasher, hashes, found = RowsHasher(), RowHashes(), _Found()
        checker = None if rules is None else RowChecker(kind, rules)
        members: Counter[str] = Counter()
        count = 0
        for line, row in rows:
            if isinstance(row, RowProblem):
                found.add_fault(row)
                continue
            hasher.add(row)
            hashes.add(row)
            count += 1
            members.update(row.request.keys())
            if checker is not None:
                found.add(as_row_problem(problem, line) for problem in checker.check(row, line))
        found.raise_faults(count)
        tokens = 0 if checker is None else checker.output_tokens
        return RowsSummary(hasher.hexdigest(), count, members, hashes.text(), found.warnings, tokens)

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        return parse_row(value, kind)

    def make(self, results: Path, order: RowsOrder, *, afresh: bool = False) -> MadeRows | Obstacle | None:
        return self._chains.make(results, order, afresh=afresh)

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        checker = RowChecker(kind, rules)
        for index, row in enumerate(rows):
            yield from ((index, problem) for problem in checker.check(row, index + 1))

    def output_tokens(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> int:
        return sum(most_output(sent_request(row, kind, rules)) for row in rows) if rules.is_google_model else 0


class _Found:
    """The problems found in one file."""

    def __init__(self) -> None:
        self._faults: list[RowProblem] = []
        self._more = 0
        self._last = 0
        self.warnings: tuple[RowProblem, ...] = ()

    def add(self, problems: Iterable[RowProblem]) -> None:
        for problem in problems:
            if Fault(problem.code) not in WARNINGS:
                self.add_fault(problem)
            elif len(self.warnings) < FAULTS_SHOWN:
                self.warnings = (*self.warnings, problem)

    def add_fault(self, problem: RowProblem) -> None:
        if len(self._faults) < FAULTS_SHOWN:
            self._faults.append(problem)
        else:
            self._more += 1
            self._last = problem.line

    def raise_faults(self, rows: int) -> None:
        """Raise RowsError if there is a fault; `rows` is how many rows were sound."""
        if not rows and not self._faults:
            self.add_fault(RowProblem(1, "the file has no rows", _FORMS))
        if self._more:
            number = f"{self._more:,} more fault{'' if self._more == 1 else 's'}"
            self._faults.append(RowProblem(self._last, f"{number} up to this line, which are not shown", _MORE))
        if self._faults:
            raise RowsError(self._faults, warnings=self.warnings)


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

    Raises RowsError with all faults, up to `FAULTS_SHOWN` of them with their words, once the file is read.
    """
    found, count = _Found(), 0
    for _, row in _rows_and_problems(path, kind, line_bytes, flow):
        if isinstance(row, RowProblem):
            found.add_fault(row)
        else:
            count += 1
            yield row
    found.raise_faults(count)


def _rows_and_problems(
    path: Path, kind: Kind, line_bytes: int, flow: Flow
) -> Iterator[tuple[int, RequestRow | RowProblem]]:
    """Each line that is not blank, with its number."""
    lines: dict[str, int] = {}
    try:
        with open_stream(path) as stream:
            for line in read_lines(_Counted(stream, flow), line_bytes):
                yield line.number, _row_or_problem(line, kind, lines)
    except OSError as error:
        yield 1, RowProblem(1, f"the file cannot be read: {error.strerror}")


def _row_or_problem(line: Line, kind: Kind, lines: dict[str, int]) -> RequestRow | RowProblem:
    """`lines` holds the keys so far, each with its line, and takes in this one."""
    if line.fault is not None:
        return RowProblem(line.number, line.fault, "" if line.is_json else _FORMS)
    try:
        row = parse_row(line.value, kind)
    except ValueError as error:
        return RowProblem(line.number, str(error), _FORMS if isinstance(error, UnknownRowForm) else "")
    name = row.name
    first = line.number if name is None else lines.setdefault(name, line.number)
    if first != line.number:
        what = "key" if row.key is not None else "custom_id"
        return RowProblem(line.number, f"{what} {shown(name)} is used on line {first} already")
    return row
