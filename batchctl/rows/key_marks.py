"""Finds keys that appear twice in an input, in 8 bytes a key."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

_AT_ONCE = 250_000
"""Marks that are compared at once. More are compared in several passes, which keeps memory flat."""


class KeyMarks:
    """A 64-bit mark for each key. Different keys may have one mark, so equal marks are only a suspicion."""

    def __init__(self) -> None:
        self._marks = array("q")

    def add(self, keys: Iterable[str]) -> None:
        """Add keys."""
        self._marks.extend(map(mark_of, keys))

    def repeated(self) -> frozenset[int]:
        """The marks that appear more than once."""
        passes = 1 + len(self._marks) // _AT_ONCE
        found: set[int] = set()
        for number in range(passes):
            part = [mark for mark in self._marks if mark % passes == number] if passes > 1 else self._marks
            if len(set(part)) < len(part):
                found |= {mark for mark, count in Counter(part).items() if count > 1}
        return frozenset(found)


mark_of = hash
"""The mark of a key: Python's hash, whose secret differs between processes. So nobody can choose keys that collide."""
