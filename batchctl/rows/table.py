"""The facts about an input that its results are matched by: requests, names and members of its rows.

A row takes some hundred bytes in memory; the members beside its request are on disk.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import BinaryIO

from batchctl.model.input_rows import RowColumns
from batchctl.model.json_value import Json
from batchctl.model.pieces import pieces_of
from batchctl.model.ports.inputs import InputRow
from batchctl.model.result_json import decoded, encoded
from batchctl.model.row_marks import without_labels
from batchctl.rows.echo import Forms, form_beside, forms
from batchctl.rows.expectation import Expectations
from batchctl.rows.fingerprint import fingerprint
from batchctl.rows.groups import Groups
from batchctl.rows.identities import Identities, names_of

NO_FORMS = Forms(0, 0, 0)
"""The forms of a request that matches nothing; a real request has them only by chance."""


def whole_form(exact: int, members: Mapping[str, Json]) -> int:
    """The form of a request together with what stands beside it; 0 where nothing does."""
    beside = form_beside(members)
    return fingerprint([exact, beside]) if beside else 0


class RowTable:
    """The rows of an input, in its order. Reads them all at once: raises what they raise."""

    def __init__(self, rows: Iterable[InputRow], aside: BinaryIO, expectations: Expectations) -> None:
        self._aside = aside
        self._places = array("q", [0])
        self.exact, self.loose, self.core = array("Q"), array("Q"), array("Q")
        self._whole = array("Q")
        self.keys: list[str | None] = []
        self.expectations = array("q")
        """By row: the place of its expectation."""
        self.names = Identities()
        self.is_echoed = False
        """Whether any request is known that a result could echo."""
        for piece in pieces_of(rows):
            if isinstance(piece, RowColumns):
                self._add_columns(piece)
                self.expectations.extend([expectations.place_of(piece.asked)] * len(piece))
                continue
            for row in piece:
                self._add(row)
                self.expectations.append(
                    expectations.place(row.request) if row.asked is None else expectations.place_of(row.asked)
                )
        self.names.close()

    @cached_property
    def by_exact(self) -> Groups:
        """The rows by the exact form of their requests."""
        return Groups(self.exact)

    @cached_property
    def by_loose(self) -> Groups:
        """The rows by the loose form of their requests."""
        return Groups(self.loose)

    @cached_property
    def by_core(self) -> Groups:
        """The rows by the questions of their requests."""
        return Groups(self.core)

    @cached_property
    def by_whole(self) -> Groups:
        """The rows by their requests with the members beside them."""
        return Groups(self._whole)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def has_members(self) -> bool:
        """Whether a row has members beside its request."""
        return self._places[-1] > 0

    def members(self, row: int) -> Mapping[str, Json]:
        """The members beside a row's request."""
        start, end = self._places[row], self._places[row + 1]
        if start == end:
            return {}
        self._aside.seek(start)
        found: dict[str, Json] = decoded(self._aside.read(end - start))
        return found

    def _add_columns(self, columns: RowColumns) -> None:
        if self.is_echoed:
            for forms_before in self._all_forms:
                forms_before.extend([0] * len(columns))
        self.keys.extend(columns.keys)
        self.names.add_keys(columns.names)
        self._places.extend([self._places[-1]] * len(columns))

    @property
    def _all_forms(self) -> tuple[array[int], ...]:
        return self.exact, self.loose, self.core, self._whole

    def _add(self, row: InputRow) -> None:
        if row.request is not None or self.is_echoed:
            self._add_forms(row)
        self.keys.append(row.key)
        self.names.add({**names_of(row.key, row.members), **row.sent})
        line = encoded(dict(row.members)) if row.members else b""
        if line:
            self._aside.write(line)
        self._places.append(self._places[-1] + len(line))

    def _add_forms(self, row: InputRow) -> None:
        """Add the forms of a request. An input that no result echoes has none."""
        if not self.is_echoed:
            self.is_echoed = True
            for forms_before in self._all_forms:
                forms_before.extend([0] * len(self))
        found = NO_FORMS if row.request is None else forms(without_labels(row.request)) or NO_FORMS
        self.exact.append(found.exact)
        self.loose.append(found.loose)
        self.core.append(found.core)
        self._whole.append(whole_form(found.exact, row.members) if row.members else 0)
