"""Rows from local JSONL files.

Owns what makes a whole file sound: every line a row, every key once. Implements RowReader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from batchctl.disk.safe_open import open_stream
from batchctl.model.activity import UNWATCHED, Activity, Flow
from batchctl.model.chain import Obstacle
from batchctl.model.errors import BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.ports.row_reader import MadeRows, OutputLimit, RowRules, RowsForm, RowsOrder, RowsSummary
from batchctl.model.request.problems import Problem
from batchctl.model.sources import RequestRow
from batchctl.model.stack import LINE_BYTES, SharedPlace
from batchctl.rows.chain_files import ChainFiles
from batchctl.rows.checks import KnownShapes, RowChecker
from batchctl.rows.file_reading import FileReading
from batchctl.rows.jsonl import read_lines
from batchctl.rows.key_marks import KeyMarks
from batchctl.rows.line_blocks import HashedBytes, LineBlocks, ReadBytes
from batchctl.rows.local_place import open_local
from batchctl.rows.place import OpenPlace
from batchctl.rows.row import parse_row
from batchctl.rows.row_faults import FoundProblems, row_or_problem, unreadable
from batchctl.rows.summary_cache import LEAST_BYTES, SummaryCache, settings_of

_MOST_RULES = 64
"""Sets of rules whose shapes are kept. Most stacks have few; with more, the shapes are found again."""


class RowFiles:
    """Implements RowReader."""

    def __init__(
        self,
        activity: Activity = UNWATCHED,
        *,
        keeps_made_rows: bool = True,
        cache: SummaryCache | None = None,
        open_place: OpenPlace = open_local,
    ) -> None:
        """`keeps_made_rows`: the rows of chains are written to the results, and not into a temporary folder."""
        self._open_place = open_place
        self._activity = activity
        self._cache = cache
        self._chains = ChainFiles(activity, is_kept=keeps_made_rows)
        self._shapes: dict[tuple[Kind, str], KnownShapes] = {}

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        size = _size(path)
        with self._activity.running(f"reading {path.name}", size) as flow:
            if self._cache is None or size is None or size < LEAST_BYTES:
                return _read(path, kind, line_bytes, rules, ReadBytes(flow))
            settings = settings_of(kind, line_bytes, rules)
            known = self._cache.find(path, size, settings)
            if known is not None:
                flow.add(size)
                return known
            content = HashedBytes(flow)
            summary = _read(path, kind, line_bytes, rules, content)
            self._cache.keep(content.hexdigest(), size, settings, summary)
            return summary

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        return parse_row(value, kind)

    def form(self, rows: Sequence[Json], kind: Kind) -> RowsForm | None:
        from batchctl.rows.inline_forms import inline_form  # only stacks of many manifests need it

        return inline_form(rows, kind)

    def keep_made_rows(self) -> None:
        """From now on, write the rows of chains into the results folder."""
        self._chains.is_kept = True

    def make(
        self, results: Path | SharedPlace, order: RowsOrder, *, afresh: bool = False
    ) -> MadeRows | Obstacle | None:
        try:
            place = self._open_place(results)
        except BatchctlError as error:
            return Obstacle(error.message, is_lasting=False)
        return self._chains.make(place, order, afresh=afresh)

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        checker = self._checker(kind, rules)
        for index, row in enumerate(rows):
            yield from ((index, problem) for problem in checker.check(row, index + 1))

    def output_limit(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> OutputLimit:
        checker = self._checker(kind, rules)
        for index, row in enumerate(rows):
            for _ in checker.check(row, index + 1, wants_warnings=False):
                pass
        return OutputLimit(checker.output_tokens, checker.bounded_rows)

    def _checker(self, kind: Kind, rules: RowRules) -> RowChecker:
        """A checker that knows the shapes of other manifests with the same rules."""
        key = (kind, repr(rules))
        if len(self._shapes) >= _MOST_RULES:
            self._shapes.clear()
        return RowChecker(kind, rules, self._shapes.setdefault(key, KnownShapes()))


def _size(path: Path) -> int | None:
    """The bytes of a file, for people who wait; that it cannot be read is found out by reading it."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _read(path: Path, kind: Kind, line_bytes: int, rules: RowRules | None, content: ReadBytes) -> RowsSummary:
    """The summary of a file; `content` has the bytes that it is the summary of. Raises RowsError."""
    reading = FileReading(path, kind, line_bytes, rules)
    reading.run(content)
    repeated = reading.marks.repeated()
    if repeated:
        # Keys may appear twice: now with the keys in question, whose lines errors name.
        content.begin_again()
        reading = FileReading(path, kind, line_bytes, rules, repeated)
        reading.run(content)
    return reading.summary()


def read_rows(path: Path, kind: Kind, line_bytes: int = LINE_BYTES, flow: Flow = UNWATCHED) -> Iterator[RequestRow]:
    """The file's rows, streamed; what comes before its end is worth nothing if the end raises.

    Raises RowsError with all faults, up to `FAULTS_SHOWN` of them with their words, once the file is read.
    """
    found, count, marks = FoundProblems(), 0, KeyMarks()
    for _, row in _rows_and_problems(path, kind, line_bytes, flow):
        if isinstance(row, RowProblem):
            found.add_fault(row)
            continue
        count += 1
        if row.name is not None:
            marks.add((row.name,))
        yield row
    if marks.repeated():
        RowFiles().fingerprint(path, kind, line_bytes)
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
