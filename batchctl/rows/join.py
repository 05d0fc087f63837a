"""Matches results with input rows.

Defines how far a reply is trusted. No input row gets two results, an answer counts before an error, and a repeated
result counts once. A result that fits no row is reported, never guessed. All results are read before any is matched, so
their order does not matter. Source: reference 8.1, 8.2, chapter 16.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Protocol, assert_never

from batchctl.model.json_value import Json
from batchctl.model.ports.inputs import ForeignRows, KnownInput, SentRows, UnorderedRows
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded, encoded
from batchctl.model.row_marks import position_of_key
from batchctl.rows.arrivals import NOWHERE, Arrivals, Fate, ReadAgain, Settled
from batchctl.rows.expectation import UNSEEN, Expectations
from batchctl.rows.fingerprint import fingerprint
from batchctl.rows.identities import names_of
from batchctl.rows.match import RowJoin
from batchctl.rows.table import RowTable

_NONE = 0


class Join(Protocol):
    """Matches results with rows."""

    def add(self, item: ResultItem) -> int | None:
        """Add the next result, in order of arrival. Returns its row, if it says only the key of the next one."""
        ...

    def add_answers(self, keys: Sequence[str], read: Callable[[int], ReadAgain]) -> range | None:
        """Add the next results, which are answers with these keys; None: they have to be added one by one.

        Returns the rows that they name, which come one after the other. `read` reads a result again, by its number.
        """
        ...

    def settle(self) -> Settled:
        """The rows of all results, after all were added."""
        ...

    def key(self, row: int, given: str | None) -> str | None:
        """The key to show for the result of a row that came with this key."""
        ...

    def keys(self, rows: range, given: Sequence[bytes]) -> Sequence[bytes]:
        """The same for rows that come one after the other, as JSON."""
        ...

    def common_expectation(self, rows: range) -> int:
        """The expectation that these rows have in common; UNSEEN without one, and if a row may have members."""
        ...

    def members(self, row: int) -> Mapping[str, Json]:
        """The members beside the request of a row; none if the input is not known."""
        ...

    def expectation(self, row: int) -> int:
        """The place of the expectation of a row (`Expectations.at`); UNSEEN if its request is not known."""
        ...


def join_for(known: KnownInput | None, aside: BinaryIO, expectations: Expectations) -> Join:
    """The join for an input, by the facts known about it. Reads its rows, and raises their errors.

    `aside` is an empty file for what has to wait. What the rows ask for goes into `expectations`.
    """
    match known:
        case None:
            return LooseJoin(ours=True)
        case SentRows(rows):
            return RowJoin(RowTable(rows, aside, expectations), ours=True)
        case ForeignRows(rows):
            return RowJoin(RowTable(rows, aside, expectations), ours=False)
        case UnorderedRows():
            return LooseJoin(ours=False)
        case _:
            assert_never(known)


class LooseJoin:
    """For an unknown input: every result is a row, but a repeated row counts once.

    `ours`: batchctl sent them, so their marks tell positions. Of other rows no position is known, whatever they carry.
    """

    def __init__(self, *, ours: bool) -> None:
        self._ours = ours
        self._arrivals = Arrivals()
        self._positions = array("q")
        self._names = array("Q")

    def add(self, item: ResultItem) -> None:
        self._arrivals.add(item)
        position = self._position(item)
        self._positions.append(NOWHERE if position is None else position)
        self._names.append(_name(item) if position is None else fingerprint(position))

    def add_answers(self, keys: Sequence[str], read: Callable[[int], ReadAgain]) -> None:  # noqa: ARG002  rows of an unknown input are compared
        return None

    def settle(self) -> Settled:
        settled = self._arrivals.settled()
        first: dict[int, int] = {}
        for number in self._arrivals.order(settled):
            name = self._names[number]
            holder = first.setdefault(name, number) if name else number
            if holder == number:
                settled.put(number, self._positions[number], Fate.MATCHED)
            else:
                settled.put(number, NOWHERE, self._fate(number, holder))
        return settled

    def key(self, row: int, given: str | None) -> str | None:  # noqa: ARG002  the input is not known
        return None if self._ours and position_of_key(given) is not None else given

    def keys(self, rows: range, given: Sequence[bytes]) -> Sequence[bytes]:
        return [encoded(self.key(row, decoded(key))) for row, key in zip(rows, given, strict=True)]

    def common_expectation(self, rows: range) -> int:  # noqa: ARG002  the input is not known
        return UNSEEN

    def members(self, row: int) -> Mapping[str, Json]:  # noqa: ARG002  the input is not known
        return {}

    def expectation(self, row: int) -> int:  # noqa: ARG002  the input is not known
        return UNSEEN

    def _fate(self, number: int, holder: int) -> Fate:
        """The fate of a result whose row has another result."""
        if self._ours or self._arrivals.answers[holder]:
            is_copy = self._arrivals.is_copy(number, holder)
        else:
            is_copy = self._arrivals.outcome(number) == self._arrivals.outcome(holder)
        if is_copy:
            return Fate.DROPPED
        # Two rows of others may have one name.
        return Fate.UNMATCHED if self._ours else Fate.MATCHED

    def _position(self, item: ResultItem) -> int | None:
        if not self._ours:
            return None
        found = position_of_key(item.key) if item.index is None else item.index
        return found if found is not None and found >= 0 else None


def _name(item: ResultItem) -> int:
    """A fingerprint of the names, members and request of a result; `_NONE` for a result without a name."""
    if not names_of(item.key, item.members):
        return _NONE
    return fingerprint([item.key, item.members, item.request])
