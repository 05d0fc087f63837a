"""Finds keys that appear twice in an input, in 8 bytes a key."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from operator import lt

_AT_ONCE = 250_000
"""Marks that are compared at once, about: an object for each would take far more memory than the marks."""


class KeyMarks:
    """A 64-bit mark for each key. Different keys may have one mark, so equal marks are only a suspicion."""

    def __init__(self) -> None:
        self._marks = array("q")
        self._last = ""
        self._rises = True
        """Whether each key so far is greater than the one before, as numbered keys are: then none is repeated."""

    def add(self, keys: Sequence[str]) -> None:
        """Add keys."""
        self._marks.extend(map(mark_of, keys))
        if self._rises and keys:
            self._rises = self._last < keys[0] and all(map(lt, keys, keys[1:]))
            self._last = keys[-1]

    def repeated(self) -> frozenset[int]:
        """The marks that appear more than once."""
        return frozenset() if self._rises else repeated_marks(self._marks)


def repeated_marks(marks: array[int]) -> frozenset[int]:
    """The marks that appear more than once."""
    parts = [marks]
    if len(marks) > _AT_ONCE:
        # Marks are evenly distributed.
        count = 1 + len(marks) // _AT_ONCE
        parts = [array(marks.typecode) for _ in range(count)]
        put = [part.append for part in parts]
        for mark in marks:
            put[mark % count](mark)
    found: set[int] = set()
    for part in parts:
        if len(set(part)) < len(part):
            found |= {mark for mark, count in Counter(part).items() if count > 1}
    return frozenset(found)


mark_of = hash
"""The mark of a key: Python's hash. It has a random seed in each process, so keys that collide cannot be prepared."""
