"""Which input row a result belongs to.

Owns the trust in what a reply says: no input row gets two results, and what fits nowhere is told, never guessed.
Source: reference 8.1, 8.2 (replies may come in another order than the input).
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from batchctl.model.ports import ForeignRows, InputRow, KnownInput, ResultItem, SentRows, UnorderedRows
from batchctl.rows.echo import Forms, forms
from batchctl.rows.groups import Groups


@dataclass(frozen=True)
class Place:
    """Where a result belongs. `index` None: to no input row that is known."""

    key: str | None
    index: int | None
    matched: bool
    """False for a result whose input row is not there, or has its result already."""


class Join(Protocol):
    """Places results one by one."""

    def place(self, item: ResultItem) -> Place:
        """The place of the next result, in arrival order."""
        ...

    def later(self) -> Iterator[tuple[int, Place]]:
        """After the last result: results that could only be placed once all had come.

        Each comes with its number in the order of arrival, from 0. `place` has given it no place before.
        """
        ...

    @property
    def missing(self) -> int | None:
        """Input rows that no result was placed at so far; None when the input is not known."""
        ...


def join_for(known: KnownInput | None) -> Join:
    """The way to place results, by what is known of the input. Reads foreign rows: raises what they raise."""
    match known:
        case None:
            return BlindJoin()
        case SentRows(keys):
            return SentJoin(keys)
        case ForeignRows(rows):
            return EchoJoin(rows)
        case UnorderedRows():
            return UnorderedJoin()
        case _:
            assert_never(known)


class BlindJoin:
    """For rows that batchctl sent and that are not here any more: their positions are taken as they come, each once."""

    missing = None

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def place(self, item: ResultItem) -> Place:
        if item.index is None or item.index < 0:
            return Place(item.key, None, matched=True)
        if item.index in self._taken:
            return Place(item.key, None, matched=False)
        self._taken.add(item.index)
        return Place(item.key, item.index, matched=True)

    def later(self) -> Iterator[tuple[int, Place]]:
        return iter(())


class UnorderedJoin:
    """For rows that batchctl never sent and that have no order here: every result is one, and stands nowhere."""

    missing = None

    def place(self, item: ResultItem) -> Place:
        return Place(item.key, None, matched=True)

    def later(self) -> Iterator[tuple[int, Place]]:
        return iter(())


class SentJoin:
    """For rows that batchctl sent: the key wins over the position."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys
        self._by_key = {key: index for index, key in enumerate(keys)}
        self._taken: set[int] = set()

    def place(self, item: ResultItem) -> Place:
        index = self._index(item)
        if index is None or index in self._taken:
            return Place(item.key, None, matched=False)
        self._taken.add(index)
        return Place(self._keys[index] if item.key is None else item.key, index, matched=True)

    def later(self) -> Iterator[tuple[int, Place]]:
        return iter(())

    @property
    def missing(self) -> int:
        return len(self._keys) - len(self._taken)

    def _index(self, item: ResultItem) -> int | None:
        if item.key is not None:
            return self._by_key.get(item.key)
        if item.index is not None and 0 <= item.index < len(self._keys):
            return item.index
        return None


@dataclass
class _Lookalikes:
    """Input rows of one loose form and several exact ones, and the results that came in these exact forms."""

    rows: Counter[int]
    """How many rows have each exact form; those that were found by their key no more."""
    held: list[tuple[int, int, str | None]] = field(default_factory=list)
    """Number, exact form and key of the results."""

    @property
    def kept_apart(self) -> bool:
        """Whether the API printed each row as it was: each form came back as often as it went in.

        Had it changed one into another, there would be too many of the one and too few of the other.
        """
        return Counter(exact for _, exact, _ in self.held) == self.rows


class EchoJoin:
    """For rows that batchctl never sent: a result belongs to an input row whose request it echoes.

    Equal requests are a multiset: any of them may take any of their results. A key that the result carries narrows the
    choice, and settles it where only one row has it. The API may print a request in another way than it stands in the
    input, so a second, looser form is tried, but only where all rows of that form are equal. Rows that differ in the
    exact form only, such as by a default value, are told apart once all results are there, or not at all.

    Takes some 60 bytes a row.
    """

    def __init__(self, rows: Iterable[InputRow]) -> None:
        self._exact, self._loose = array("Q"), array("Q")
        self._keys: list[str | None] = []
        for row in rows:
            found = forms(row.request) or _NO_FORMS
            self._exact.append(found.exact)
            self._loose.append(found.loose)
            self._keys.append(row.key)
        self._by_exact, self._by_loose = Groups(self._exact), Groups(self._loose)
        self._by_key: Groups | None = None
        if any(key is not None for key in self._keys):
            self._by_key = Groups(array("Q", (0 if key is None else _key_mark(key) for key in self._keys)))
        self._taken = bytearray(len(self._keys))
        self._missing = len(self._keys)
        self._arrived = 0
        self._lookalikes = dict(self._find_lookalikes())

    def place(self, item: ResultItem) -> Place:
        number = self._arrived
        self._arrived += 1
        owner = self._owner(item.key)
        if owner is not None:
            return self._take_by_key(owner, item.key)
        found = None if item.request is None else forms(item.request)
        exact = None if found is None else self._exact_form(found)
        if found is None or exact is None:
            return Place(item.key, None, matched=False)
        alike = self._lookalikes.get(found.loose)
        if alike is not None:
            alike.held.append((number, exact, item.key))
            return Place(item.key, None, matched=False)
        return self._take(self._first_free(exact, item.key), item.key)

    def later(self) -> Iterator[tuple[int, Place]]:
        for alike in self._lookalikes.values():
            held, is_sure = alike.held, alike.kept_apart
            alike.held = []
            for number, exact, key in held if is_sure else ():
                place = self._take(self._first_free(exact, key), key)
                if place.matched:
                    yield number, place

    @property
    def missing(self) -> int:
        return self._missing

    def _owner(self, key: str | None) -> int | None:
        """The only input row with a key."""
        if key is None or self._by_key is None:
            return None
        row = self._by_key.only(_key_mark(key))
        return row if row is not None and self._keys[row] == key else None

    def _exact_form(self, found: Forms) -> int | None:
        """The exact form, in the input, of what was echoed; None when it is not there, or could be several."""
        if self._by_exact.first(found.exact) is not None:
            return found.exact
        row = self._by_loose.first(found.loose)
        return None if row is None or found.loose in self._lookalikes else self._exact[row]

    def _first_free(self, exact: int, key: str | None) -> int | None:
        """The first row of an exact form that has no result yet, and no other key than the result."""
        for row in self._by_exact.free(exact, self._taken):
            if key is None or self._keys[row] in (None, key):
                return row
        return None

    def _take_by_key(self, row: int, key: str | None) -> Place:
        place = self._take(row, key)
        alike = self._lookalikes.get(self._loose[row])
        if place.matched and alike is not None:
            alike.rows[self._exact[row]] -= 1
        return place

    def _take(self, row: int | None, key: str | None) -> Place:
        if row is None or self._taken[row]:
            return Place(key, None, matched=False)
        self._taken[row] = True
        self._missing -= 1
        own = self._keys[row]
        return Place(key if own is None else own, row, matched=True)

    def _find_lookalikes(self) -> Iterator[tuple[int, _Lookalikes]]:
        for rows in self._by_loose.groups():
            exact = Counter(self._exact[row] for row in rows)
            if len(exact) > 1:
                yield self._loose[rows[0]], _Lookalikes(exact)


_NO_FORMS = Forms(0, 0)
"""Of a request that nothing can be matched to; no real one comes out as this but by chance."""


def _key_mark(key: str) -> int:
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
