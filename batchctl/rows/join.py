"""Which input row a result belongs to.

Owns the trust in what a reply says: no input row gets two results, and what fits nowhere is told, never guessed.
Source: reference 8.1, 8.2 (replies may come in another order than the input).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from batchctl.model.ports import ForeignRows, InputRow, KnownInput, ResultItem, SentRows
from batchctl.rows.echo import exact_form, loose_form


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
        case _:
            assert_never(known)


class BlindJoin:
    """For an input that nobody here knows: positions are taken as they come, each once."""

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
class _Alike:
    """The input rows that look alike in one form, in input order; the first ones without a result come last."""

    waiting: list[int]
    exact: bytes | None
    """Their exact form; None when they differ in it, so that they cannot stand for each other."""


class EchoJoin:
    """For rows that batchctl never sent: a result belongs to an input row whose request it echoes.

    Equal requests are a multiset: any of them may take any of their results. The API may print a request in another
    way than it stands in the input, so a second, looser form is tried, but only where all rows of that form are equal.
    """

    def __init__(self, rows: Iterable[InputRow]) -> None:
        self._keys: dict[int, str] = {}
        self._exact: dict[bytes, list[int]] = {}
        self._loose: dict[bytes, _Alike] = {}
        self._missing = 0
        for index, row in enumerate(rows):
            self._missing += 1
            if row.key is not None:
                self._keys[index] = row.key
            exact, loose = exact_form(row.request), loose_form(row.request)
            self._exact.setdefault(exact, []).append(index)
            alike = self._loose.setdefault(loose, _Alike(self._exact[exact], exact))
            if alike.exact != exact:
                alike.exact = None
        for waiting in self._exact.values():
            waiting.reverse()

    def place(self, item: ResultItem) -> Place:
        waiting = self._candidates(item)
        if not waiting:
            return Place(item.key, None, matched=False)
        index = waiting.pop()
        self._missing -= 1
        return Place(self._keys.get(index, item.key), index, matched=True)

    @property
    def missing(self) -> int:
        return self._missing

    def _candidates(self, item: ResultItem) -> list[int]:
        if item.request is None:
            return []
        exact = self._exact.get(exact_form(item.request))
        if exact is not None:
            return exact
        alike = self._loose.get(loose_form(item.request))
        return [] if alike is None or alike.exact is None else alike.waiting
