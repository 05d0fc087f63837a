"""Which input row a result belongs to.

Owns the trust in what a reply says. No input row gets two results, an answer beats an error, a result that comes twice
counts once, and what fits nowhere is told, never guessed. All results are looked at before any gets a place, so that
their order means nothing. Source: reference 8.1, 8.2, chapter 16.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import BinaryIO, Protocol, assert_never

from batchctl.model.desired import Json
from batchctl.model.ports import ForeignRows, KnownInput, ResultItem, SentRows, UnorderedRows
from batchctl.model.row_marks import position_of_key
from batchctl.rows.arrivals import NOWHERE, Arrivals, Fate, Settled
from batchctl.rows.expectation import UNSEEN, Expectations
from batchctl.rows.fingerprint import fingerprint
from batchctl.rows.identities import names_of
from batchctl.rows.match import RowJoin
from batchctl.rows.table import RowTable

_NONE = 0


class Join(Protocol):
    """Places results."""

    def add(self, item: ResultItem) -> None:
        """Take in the next result, in the order of arrival."""
        ...

    def settle(self) -> Settled:
        """The places of all results, once all have come."""
        ...

    def key(self, row: int, given: str | None) -> str | None:
        """What the result at a row is called, that came with this key."""
        ...

    def members(self, row: int) -> Mapping[str, Json]:
        """What stood beside the request of a row, as far as the input is known."""
        ...

    def expectation(self, row: int) -> int:
        """Where it is kept what the request of a row asks for; UNSEEN where the request is not known."""
        ...


def join_for(known: KnownInput | None, aside: BinaryIO, expectations: Expectations) -> Join:
    """The way to place results, by what is known of the input. Reads its rows: raises what they raise.

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
    """For rows that are not here: every result is one, but a row that comes twice counts once.

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

    def members(self, row: int) -> Mapping[str, Json]:  # noqa: ARG002  the input is not known
        return {}

    def expectation(self, row: int) -> int:  # noqa: ARG002  the input is not known
        return UNSEEN

    def _fate(self, number: int, holder: int) -> Fate:
        """Of a result whose row has one already."""
        if self._ours or self._arrivals.answers[holder]:
            is_copy = self._arrivals.is_copy(number, holder)
        else:
            is_copy = self._arrivals.outcomes[number] == self._arrivals.outcomes[holder]
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
    """A fingerprint of all that a result says of its row; nothing for one that has no name."""
    if not names_of(item.key, item.members):
        return _NONE
    return fingerprint([item.key, item.members, item.request])
