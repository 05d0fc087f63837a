"""Collects the problems that are found in one file of rows, and turns lines into rows or problems."""

from __future__ import annotations

from collections.abc import Iterable

from batchctl.model.errors import RowsError, UnknownRowForm
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.request.problems import WARNINGS, Fault
from batchctl.model.sources import RequestRow
from batchctl.rows.jsonl import Line
from batchctl.rows.row import parse_row

FAULTS_SHOWN = 100
"""Faults of one file that are kept with their words; of all others there is the number."""
_FORMS = 'one row per line: {"key": …, "text": …} or {"key": …, "request": …}'
_MORE = "correct the ones above, then run the command again"


class FoundProblems:
    """The problems found in one file."""

    def __init__(self) -> None:
        self._faults: list[RowProblem] = []
        self._more = 0
        self._last = 0
        self.warnings: tuple[RowProblem, ...] = ()

    @property
    def has_all_warnings(self) -> bool:
        """Whether there are so many warnings that no other one is kept."""
        return len(self.warnings) >= FAULTS_SHOWN

    def add(self, problems: Iterable[RowProblem]) -> None:
        for problem in problems:
            if Fault(problem.code) not in WARNINGS:
                self.add_fault(problem)
            elif not self.has_all_warnings:
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


def unreadable(error: OSError) -> RowProblem:
    """The problem of a file that cannot be read."""
    return RowProblem(1, f"the file cannot be read: {error.strerror}")


def row_or_problem(line: Line, kind: Kind) -> RequestRow | RowProblem:
    """The row of a line, or the reason why it is none."""
    if line.fault is not None:
        return RowProblem(line.number, line.fault, "" if line.is_json else _FORMS)
    try:
        return parse_row(line.value, kind)
    except ValueError as error:
        return RowProblem(line.number, str(error), _FORMS if isinstance(error, UnknownRowForm) else "")
