"""Which input row a result belongs to.

Owns the trust in what a reply says: the key wins over the position, and no input row gets two results.
Source: reference 8.1 (replies may come in another order than the input).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchctl.model.ports import ResultItem


@dataclass(frozen=True)
class Place:
    """Where a result belongs. `index` None: to no input row that is known."""

    key: str | None
    index: int | None
    matched: bool
    """False for a result whose input row is not there, or has its result already."""


class Join:
    """Places results one by one. Without `keys` the input is not known, and positions are taken as they come."""

    def __init__(self, keys: Sequence[str] | None) -> None:
        self._keys = keys
        self._by_key = {key: index for index, key in enumerate(keys)} if keys is not None else {}
        self._taken: set[int] = set()

    def place(self, item: ResultItem) -> Place:
        """The place of the next result, in arrival order."""
        index = self._index(item)
        if index is None:
            return Place(item.key, None, matched=self._keys is None)
        if index in self._taken:
            return Place(item.key, None, matched=False)
        self._taken.add(index)
        key = item.key if item.key is not None or self._keys is None else self._keys[index]
        return Place(key, index, matched=True)

    @property
    def missing(self) -> int | None:
        """Input rows that no result was placed at so far; None when the input is not known."""
        return None if self._keys is None else len(self._keys) - len(self._taken)

    def _index(self, item: ResultItem) -> int | None:
        if self._keys is None:
            return item.index if item.index is not None and item.index >= 0 else None
        if item.key is not None:
            return self._by_key.get(item.key)
        if item.index is not None and 0 <= item.index < len(self._keys):
            return item.index
        return None
