"""Finds keys that appear twice in an input, without having all keys in memory."""

from __future__ import annotations

from collections.abc import Sequence
from operator import lt

from batchctl.rows.aside import Aside
from batchctl.rows.mark_sets import MarkSets


class KeyMarks:
    """A 64-bit mark for each key. Different keys may have one mark, so equal marks are only a suspicion.

    Each key of most inputs is greater than the one before, as numbered keys are: then none is repeated. So the marks
    are made when a key is not.
    """

    def __init__(self) -> None:
        self._rising = Aside()
        """The keys as long as each is greater than the one before, each as a line."""
        self._last = b""
        self._marks: MarkSets | None = None

    def add(self, keys: Sequence[bytes]) -> None:
        """Add keys in UTF-8. Raises OSError."""
        if not keys:
            return
        if self._marks is None:
            lines = b"\n".join(keys)
            if self._last < keys[0] and all(map(lt, keys, keys[1:])) and lines.count(b"\n") == len(keys) - 1:
                self._last = keys[-1]
                self._rising.add(lines + b"\n")
                return
            self._marks = self._marked()
        self._marks.add(list(map(mark_of, keys)))

    def add_one(self, key: bytes) -> None:
        """Add a key in UTF-8: for one alone, `add` takes three times as long."""
        if self._marks is None and self._last < key and b"\n" not in key:
            self._last = key
            self._rising.add(key + b"\n")
        else:
            self.add((key,))

    def repeated(self) -> frozenset[int]:
        """The marks that appear more than once. Raises OSError."""
        return frozenset() if self._marks is None else self._marks.repeated()

    def close(self) -> None:
        """Forget all keys."""
        self._rising.close()
        if self._marks is not None:
            self._marks.close()

    def _marked(self) -> MarkSets:
        found, rest = MarkSets(), b""
        for piece in self._rising.pieces():
            *keys, rest = (rest + piece).split(b"\n")
            found.add(list(map(mark_of, keys)))
        self._rising.close()
        return found


mark_of = hash
"""The mark of a key: Python's hash. It has a random seed in each process, so keys that collide cannot be prepared."""
