"""Whether the API takes a row's request, found out before it is sent.

Owns the order of the checks of one file; what can be wrong with a request is in `model.request`. `validate` and the
check before an upload are this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from batchctl.model.json_value import Json
from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.locations import RowProblem
from batchctl.model.ports.row_reader import RowRules
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.check import check_row_request
from batchctl.model.request.merging import with_defaults
from batchctl.model.request.problems import Fault, Problem
from batchctl.model.request.rules import check_together, most_output
from batchctl.model.request.shapes import Shape, shape_of
from batchctl.model.request.spelling import respell
from batchctl.model.sources import RequestRow
from batchctl.rows.spelling import with_lists

if TYPE_CHECKING:  # one API imports rows into a table
    from batchctl.model.request.importing import Importer

SHAPES_KEPT = 10_000
"""Shapes of requests whose verdict is kept. Inputs have few; if all rows differ, each is checked in full."""


class KnownShapes(Struct, frozen=True):
    """The shapes that were checked in full, each with the most output tokens of such a row."""

    sound: dict[Shape | None, int] = field(default_factory=dict)
    """Without any problem."""
    warned: dict[Shape | None, int] = field(default_factory=dict)
    """With warnings alone."""


def _importer() -> Importer:
    from batchctl.model.request.importing import Importer

    return Importer()


class RowChecker:
    """Checks the rows of one source, in their order. Requests of one shape are checked in full once."""

    def __init__(self, kind: Kind, rules: RowRules, known: KnownShapes | None = None) -> None:
        """`known`: shapes from other sources with the same rules, for APIs that compare no rows with each other."""
        self._kind = kind
        self._rules = rules
        self._importer = _importer() if rules.api is Api.VERTEX else None
        self._known = known if known is not None and self._importer is None else KnownShapes()
        self.output_tokens = 0
        """The most tokens that the answers to the rows so far may have, of those rows that bound them."""
        self.bounded_rows = 0
        """The number of these rows."""

    def check(self, row: RequestRow, line: int, *, wants_warnings: bool = True) -> Iterator[Problem]:
        """The problems of a row; `line` names it in problems of later rows.

        Without `wants_warnings`, some warnings are left out.
        """
        if not self._rules.is_google_model:
            return
        if row.in_body:
            yield self._for_another_model(row)
            return
        if row.members:
            from batchctl.rows.misplaced import misplaced

            yield from misplaced(row.members, self._kind)
        shape = shape_of(row.request, self._kind, is_table=self._importer is not None)
        tokens = self._known.sound.get(shape)
        if tokens is None and not wants_warnings:
            tokens = self._known.warned.get(shape)
        if tokens is not None:
            self._count(tokens)
            return
        before, problems = self.output_tokens, list(self._problems(row, line))
        yield from problems
        known = self._known.warned if problems else self._known.sound
        if shape is not None and all(problem.is_warning for problem in problems) and len(known) < SHAPES_KEPT:
            known[shape] = self.output_tokens - before

    def _problems(self, row: RequestRow, line: int) -> Iterator[Problem]:
        """The full check."""
        problems = list(check_row_request(row.request, self._kind, self._rules.api))
        yield from problems
        if any(not problem.is_warning for problem in problems):
            return
        spelled = sent_request(row, self._kind, self._rules)
        self._count(most_output(spelled))
        yield from check_together(spelled, self._rules.api)
        if self._importer is not None:
            sent = with_defaults(self._rules.defaults, row.request, self._kind)
            yield from self._importer.check(with_lists(sent), line)

    def _count(self, tokens: int) -> None:
        self.output_tokens += tokens
        self.bounded_rows += tokens > 0

    def _for_another_model(self, row: RequestRow) -> Problem:
        """The problem of a row in the form of another publisher's model, for a model of Google.

        Only an error on Vertex: the Developer API is said to accept OpenAI's form, against its documents (chapter 16).
        """
        from batchctl.rows.foreign_rows import of_body

        fault = Fault.WRONG_PROVIDER if self._rules.api is Api.VERTEX else Fault.UNKNOWN_VALUE
        text, hint = of_body(row.members, self._kind)
        return Problem((), fault, text, hint)


def sent_request(row: RequestRow, kind: Kind, rules: RowRules) -> Mapping[str, Json]:
    """The row's request over the job's defaults, with its members in camelCase."""
    spelled = respell(with_defaults(rules.defaults, row.request, kind), ROOTS[kind])
    assert isinstance(spelled, Mapping), "a request is an object"
    return spelled


def as_row_problem(problem: Problem, line: int) -> RowProblem:
    """A problem of a request as one of its line."""
    place = f"request.{problem.place}" if problem.path else "request"
    return RowProblem(line, f"{place}: {problem.message}", problem.hint, problem.fault.value)
