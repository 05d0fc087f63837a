"""Results of rows that are known by a list in a file, as long as they come in the order of the list: nearly all do.

Nothing of a row, and nothing of a usual answer, stays in memory. At the first result that is not that of the next row,
or says more than its key, the list is read as a whole, and all results go on as those of any other input.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded, encoded
from batchctl.model.row_marks import may_be_ours, position_of_key
from batchctl.rows.arrivals import Arrivals, Fate, ReadAgain, Settled, nothing
from batchctl.rows.expectation import Expectations
from batchctl.rows.match import RowJoin, is_key_alone
from batchctl.rows.sent_file import SentFile
from batchctl.rows.sent_list import lines_of
from batchctl.rows.table import RowTable


class ListJoin:
    """Implements Join."""

    def __init__(self, sent: SentFile, aside: BinaryIO, expectations: Expectations) -> None:
        assert sent.asked is not None
        self._sent = sent
        self._aside = aside
        self._expectations = expectations
        self._place = expectations.place_of(sent.asked)
        self._next = 0
        """The row of the next result; also the number of results so far."""
        self._at = 0
        """The place of its name."""
        self._singles, self._facts = array("Q"), Arrivals()
        """The numbers of the results that were added one by one, and the facts about these alone."""
        self._read: Callable[[int], ReadAgain] = nothing
        self._full: RowJoin | None = None
        if not sent.has_distinct_names():
            self._unfold()

    def add(self, item: ResultItem) -> int | None:
        if self._full is None:
            if is_key_alone(item) and not item.early and item.key is not None and self._take((item.key,)):
                self._singles.append(self._next - 1)
                self._facts.add(item)
                return self._next - 1
            self._unfold()
        return self._joined.add(item)

    def add_answers(self, keys: Sequence[str], read: Callable[[int], ReadAgain]) -> range | None:
        self._read = read
        if self._full is None:
            if self._take(keys):
                return range(self._next - len(keys), self._next)
            self._unfold()
        return self._joined.add_answers(keys, read)

    def settle(self) -> Settled:
        if self._full is not None:
            return self._full.settle()
        # Each row that has a result has one, in the order of the rows.
        count = self._next
        return Settled(range(count), bytearray([Fate.MATCHED]) * count, len(self._sent) - count)

    def key(self, row: int, given: str | None) -> str | None:
        if self._full is not None:
            return self._full.key(row, given)
        return None if position_of_key(given) is not None else given

    def keys(self, rows: range, given: Sequence[bytes]) -> Sequence[bytes]:
        if self._full is not None:
            return self._full.keys(rows, given)
        if not may_be_ours(b"".join(given)):
            return given
        return [encoded(self.key(row, decoded(key))) for row, key in zip(rows, given, strict=True)]

    def common_expectation(self, rows: range) -> int:
        return self._place if self._full is None else self._full.common_expectation(rows)

    def members(self, row: int) -> Mapping[str, Json]:
        return {} if self._full is None else self._full.members(row)

    def expectation(self, row: int) -> int:
        return self._place if self._full is None else self._full.expectation(row)

    def _take(self, keys: Sequence[str]) -> bool:
        """Whether these are the keys of the next rows."""
        try:
            names = lines_of(keys)
        except ValueError:
            return False
        if not self._sent.has_at(self._at, names):
            return False
        self._at += len(names)
        self._next += len(keys)
        return True

    def _unfold(self) -> None:
        """Read the whole list, and go on with it."""
        table = RowTable(self._sent.input_rows(), self._aside, self._expectations)
        self._full = RowJoin(table, ours=True)
        self._full.resume(self._next, self._singles, self._facts, self._read)

    @property
    def _joined(self) -> RowJoin:
        assert self._full is not None
        return self._full
