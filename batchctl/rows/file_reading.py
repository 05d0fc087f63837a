"""Reads a file of rows completely, and checks every row.

Blocks of lines of a known form are read by compiled types, all other lines one by one; the outcome is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.disk.safe_open import open_stream
from batchctl.model.canonical import RowsHasher, row_bytes
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.ports.row_reader import RowRules, RowsSummary
from batchctl.model.quoting import shown_json
from batchctl.model.row_hashes import RowHashes
from batchctl.model.sources import RequestRow
from batchctl.rows.checks import RowChecker, as_row_problem
from batchctl.rows.file_blocks import read_blocks
from batchctl.rows.jsonl import Line
from batchctl.rows.key_marks import KeyMarks, mark_of
from batchctl.rows.line_blocks import LineBlocks, ReadBytes
from batchctl.rows.line_forms import LineForms, RowBlock
from batchctl.rows.row_faults import FoundProblems, row_or_problem, unreadable

if TYPE_CHECKING:  # for commands that send rows
    from batchctl.rows.checked_files import CheckedFile


class FileReading:
    """One reading of a file. With `repeated`, rows whose key has one of these marks are compared key by key."""

    def __init__(
        self,
        path: Path,
        kind: Kind,
        line_bytes: int,
        rules: RowRules | None,
        repeated: frozenset[int] = frozenset(),
        checked: CheckedFile | None = None,
    ) -> None:
        """`checked` gets the findings of each block."""
        self._path, self._kind, self._line_bytes = path, kind, line_bytes
        self._repeated = repeated
        self._checked = checked
        self._checker = None if rules is None else RowChecker(kind, rules)
        self._forms = LineForms(kind)
        self._hasher, self._hashes, self._found = RowsHasher(), RowHashes(), FoundProblems()
        self._members: Counter[str] = Counter()
        self._count = 0
        self._tokens = self._bounded = 0
        self._lines: dict[str, int] = {}
        self._marks = KeyMarks()

    def run(self, content: ReadBytes) -> frozenset[int]:
        """Read the file to its end; `content` gets all its bytes. Returns the marks of keys that may be repeated."""
        with closing(self._marks) as marks:
            try:
                with open_stream(self._path) as stream:
                    self._read(LineBlocks(stream, content))
            except OSError as error:
                self._found.add_fault(unreadable(error))
            return marks.repeated()

    def summary(self) -> RowsSummary:
        """The summary of the file. Raises RowsError."""
        found = self._found
        found.raise_faults(self._count)
        checked = (0, 0) if self._checker is None else (self._checker.output_tokens, self._checker.bounded_rows)
        return RowsSummary(
            self._hasher.hexdigest(),
            self._count,
            self._members,
            self._hashes.text(),
            found.warnings,
            checked[0] + self._tokens,
            checked[1] + self._bounded,
        )

    def _read(self, blocks: LineBlocks) -> None:
        for block in read_blocks(blocks, self._forms, self._line_bytes):
            rows = block.rows
            if self._checked is not None:
                self._checked.add(block.content, None if rows is None else rows.around)
            if rows is not None and not (self._repeated and self._may_repeat(rows)):
                self._add_block(rows)
            elif not self._add_lines(block.lines()):
                return

    def _may_repeat(self, rows: RowBlock) -> bool:
        return any(not self._repeated.isdisjoint(map(mark_of, keys)) for keys in rows.raw_keys)

    def _add_block(self, rows: RowBlock) -> None:
        for keys in rows.raw_keys:
            self._marks.add(keys)
        lines = rows.lines
        self._hasher.add_lines(lines)
        if not self._hashes.is_full:
            for key, line in zip(rows.keys, lines.splitlines(), strict=True):
                self._hashes.add_line(key, line)
        for form, found in rows.runs:
            self._count += len(found)
            self._tokens += len(found) * form.tokens
            self._bounded += len(found) * (form.tokens > 0)
            for name in form.members:
                self._members[name] += len(found)

    def _add_lines(self, lines: Iterable[Line]) -> bool:
        """Add lines one by one; False if the file has another form than lines."""
        last: tuple[Line, RequestRow, int] | None = None
        for line in lines:
            if line.is_foreign:
                self._found.add_fault(RowProblem(line.number, str(line.fault)))
                return False
            row = row_or_problem(line, self._kind)
            problem = row if isinstance(row, RowProblem) else self._repeats(row, line.number)
            if problem is not None or isinstance(row, RowProblem):
                assert problem is not None
                self._found.add_fault(problem)
                continue
            tokens = self._add_row(row, line.number)
            if tokens is not None:
                last = line, row, tokens
        if last is not None:
            line, row, tokens = last
            self._forms.learn(line.raw, line.value, row, tokens)
        return True

    def _add_row(self, row: RequestRow, line: int) -> int | None:
        """Add a row; gives its most output tokens, None if a row like it would have a problem."""
        written = row_bytes(row)
        self._hasher.add_lines(written + b"\n")
        self._hashes.add_line(row.key, written)
        self._count += 1
        self._members.update(row.request.keys())
        if self._checker is None:
            return 0
        before, is_full = self._checker.output_tokens, self._found.has_all_warnings
        problems = list(self._checker.check(row, line, wants_warnings=not is_full))
        self._found.add(as_row_problem(problem, line) for problem in problems)
        is_sound = not problems or (is_full and all(problem.is_warning for problem in problems))
        return self._checker.output_tokens - before if is_sound else None

    def _repeats(self, row: RequestRow, line: int) -> RowProblem | None:
        """The problem of a row whose key is used on an earlier line."""
        name = row.name
        if name is None:
            return None
        raw = name.encode("utf-8")
        if not self._repeated:
            self._marks.add_one(raw)
            return None
        first = self._lines.setdefault(name, line) if mark_of(raw) in self._repeated else line
        if first == line:
            return None
        what = "key" if row.key is not None else "custom_id"
        return RowProblem(line, f"{what} {shown_json(name)} is used on line {first} already")
