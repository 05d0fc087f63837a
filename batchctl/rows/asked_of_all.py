"""The answer that all rows of a list ask for, if it is the same: their results are joined and judged by the list alone.

Rows that results repeat, and rows with members beside their requests, can not: a list has no text of the user.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from batchctl.model.input_rows import RowColumns
from batchctl.model.json_value import Json
from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_marks import key_of

_LONGEST = 2**16
"""Characters of what they ask for, as JSON: a schema of that size is longer than the rest of a list's first line."""
_KEY = "key"


class AskedOfAll:
    """Takes the rows of one list."""

    def __init__(self) -> None:
        self._text = ""
        """That of all rows so far, as JSON; empty before the first one."""
        self._last: Mapping[str, Json] | None = None
        """The last object with that content: rows of one form have the same."""
        self._is_common = True

    @property
    def value(self) -> Mapping[str, Json] | None:
        """See `asked_of`; None if rows differ, or need more than a list has of them."""
        found: Mapping[str, Json] | None = json.loads(self._text) if self._is_common and self._text else None
        return found

    def add(self, place: int, row: InputRow) -> None:
        """Add the next row."""
        name = row.sent.get(_KEY, row.key)
        is_named = row.sent.keys() <= {_KEY} and name == (key_of(place) if row.key is None else row.key)
        if row.request is not None or row.members or row.asked is None or not is_named:
            self._is_common = False
        elif self._is_common:
            self._add(row.asked)

    def add_columns(self, columns: RowColumns) -> None:
        """Add the next rows."""
        if self._is_common:
            self._add(columns.asked)

    def _add(self, asked: Mapping[str, Json]) -> None:
        if asked is self._last:
            return
        text = _text(asked)
        self._is_common = text is not None and self._text in ("", text)
        self._text, self._last = text or "", asked


def _text(asked: Mapping[str, Json]) -> str | None:
    """The answer that a row asks for, as JSON: Python takes 1 and true for equal. None if that is too much."""
    try:
        found = json.dumps(asked)
    except (RecursionError, ValueError):
        return None
    return found if len(found) <= _LONGEST else None
