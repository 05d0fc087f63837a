"""The rows of manifests: in local JSONL files, inside the manifest, or made of results. Implements RowReader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.chain import Obstacle
from batchctl.model.errors import BatchctlError
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import MadeRows, OutputLimit, RowRules, RowsForm, RowsOrder, RowsSummary
from batchctl.model.request.problems import Problem
from batchctl.model.sources import RequestRow
from batchctl.model.stack import LINE_BYTES, SharedPlace
from batchctl.rows.checks import KnownShapes, RowChecker
from batchctl.rows.local_place import open_local
from batchctl.rows.row import parse_row

if TYPE_CHECKING:  # few stacks have chains
    from batchctl.rows.chain_files import ChainFiles
    from batchctl.rows.checked_files import CheckedFiles
    from batchctl.rows.place import OpenPlace

_MOST_RULES = 64
"""Sets of rules whose shapes are kept. Most stacks have few; with more, the shapes are found again."""


class RowFiles:
    """Implements RowReader."""

    def __init__(
        self,
        activity: Activity = UNWATCHED,
        *,
        keeps_made_rows: bool = True,
        cache: Path | None = None,
        open_place: OpenPlace = open_local,
        sends_rows: bool = False,
    ) -> None:
        """`keeps_made_rows`: the rows of chains are written to the results, and not into a temporary folder.

        `cache`: the folder with the summaries of large files that were read before.
        `sends_rows`: files may be read again, to send their rows.
        """
        self._open_place = open_place
        self._activity = activity
        self._cache = cache
        self._sends_rows = sends_rows
        self._keeps_made_rows = keeps_made_rows
        self._shapes: dict[tuple[Kind, str], KnownShapes] = {}

    @cached_property
    def checked(self) -> CheckedFiles | None:
        """Findings about the files that were checked, for a command that sends their rows."""
        if not self._sends_rows:
            return None
        from batchctl.rows.checked_files import CheckedFiles

        return CheckedFiles()

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        from batchctl.rows.whole_files import summarize  # manifests of small jobs have their rows inside

        given = (path, kind, line_bytes, rules)
        return summarize(*given, activity=self._activity, cache=self._cache, checked=self.checked)

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        return parse_row(value, kind)

    def form(self, rows: Sequence[Json], kind: Kind) -> RowsForm | None:
        from batchctl.rows.inline_forms import inline_form  # only stacks of many manifests need it

        return inline_form(rows, kind)

    def keep_made_rows(self) -> None:
        """From now on, write the rows of chains into the results folder."""
        self._keeps_made_rows = True

    def make(
        self, results: Path | SharedPlace, order: RowsOrder, *, afresh: bool = False
    ) -> MadeRows | Obstacle | None:
        try:
            place = self._open_place(results)
        except BatchctlError as error:
            return Obstacle(error.message, is_lasting=False)
        self._chains.is_kept = self._keeps_made_rows
        return self._chains.make(place, order, afresh=afresh)

    @cached_property
    def _chains(self) -> ChainFiles:
        from batchctl.rows.chain_files import ChainFiles

        return ChainFiles(self._activity)

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
