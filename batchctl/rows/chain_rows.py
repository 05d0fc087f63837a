"""Rows made from the good answers of another job, one by one.

Decides which answers can be used, and under which key their rows are sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import Struct

from batchctl.model.chain import MOST_EXAMPLES, ChainCount, LeftOut
from batchctl.model.json_value import Json
from batchctl.model.ports.row_reader import RowsOrder
from batchctl.model.quoting import cut
from batchctl.model.row_template import Answer
from batchctl.model.sources import RequestRow
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.answer import answer_text
from batchctl.rows.checks import RowChecker, as_row_problem
from batchctl.rows.identities import names_of
from batchctl.rows.jsonl import parse_json
from batchctl.rows.row import KEY_LENGTH, parse_row
from batchctl.rows.selection import judged

_NAMELESS = "it has neither a key nor a position"


class MadeRow(Struct, frozen=True):
    """One row, and the line of the file that it stands on."""

    row: RequestRow
    line: bytes


class NoRow(ValueError):
    """No row can be made from a result."""


class RowFactory:
    """Makes the rows of one order, in the order of the results."""

    def __init__(self, order: RowsOrder, *, is_input_known: bool) -> None:
        """`is_input_known`: the other job's input is known, so a result without a position matches none of its rows."""
        self._order = order
        self._is_input_known = is_input_known
        self._checker = RowChecker(order.kind, order.rules)
        self._keys: set[str] = set()
        self._rows = 0
        self._left_out = 0
        self._examples: list[LeftOut] = []

    def make(self, result: Mapping[str, Json]) -> MadeRow | None:
        """The row for one result; None if it is left out."""
        key = key_of_result(result)
        try:
            made = self._make(result, key)
        except ValueError as reason:
            self._leave_out(key or "(no key)", str(reason))
            return None
        self._rows += 1
        return made

    def _leave_out(self, key: str, reason: str) -> None:
        self._left_out += 1
        if len(self._examples) < MOST_EXAMPLES:
            self._examples.append(LeftOut(cut(key, KEY_LENGTH), cut(reason, KEY_LENGTH)))

    def count(self, missing: int) -> ChainCount:
        """The rows up to here; `missing` rows of the other job have no result at all."""
        return ChainCount(self._rows, self._left_out + missing, missing, tuple(self._examples))

    def _make(self, result: Mapping[str, Json], key: str | None) -> MadeRow:
        self._require_good(result)
        if key is None:
            raise NoRow(_NAMELESS)
        if key in self._keys:
            raise NoRow("another row has the same key")
        response = result.get("response")
        answer = Answer(key, answer_text(response) if isinstance(response, Mapping) else None)
        line = self._line({"key": key, **self._order.template.fill(answer.value_of)})
        row = parse_row(parse_json(line), self._order.kind)
        number = self._rows + 1
        for problem in self._checker.check(row, number):
            if not problem.is_warning:
                raise NoRow(as_row_problem(problem, number).message)
        self._keys.add(key)
        return MadeRow(row, line + b"\n")

    def _require_good(self, result: Mapping[str, Json]) -> None:
        verdict = judged(result)["verdict"]
        if verdict != RowVerdict.OK and verdict not in self._order.accepted:
            raise NoRow(str(verdict))
        if self._is_input_known and result.get("index") is None:
            raise NoRow("its result matches no row of the input")

    def _line(self, value: Json) -> bytes:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        try:
            line = text.encode("utf-8")
        except UnicodeEncodeError:
            raise NoRow("half of a surrogate pair: not a character") from None
        if len(line) > self._order.line_bytes:
            raise NoRow(f"longer than {self._order.line_bytes:,} bytes, which is the stack's limits.lineBytes")
        return line


def key_of_result(result: Mapping[str, Json]) -> str | None:
    """The key for the row that is made from a result: its own key or `custom_id`, else a name from its position."""
    key, members = result.get("key"), result.get("input")
    names = names_of(key if isinstance(key, str) else None, members if isinstance(members, Mapping) else {})
    index = result.get("index")
    return next(iter(names.values()), None if not isinstance(index, int) else f"row-{index}")
