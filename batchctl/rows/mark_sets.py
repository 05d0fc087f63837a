"""Finds numbers that appear twice among any number of them, with few of them in memory."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from batchctl.rows.aside import Aside

_PARTS = 2**8
_WAITING = 2**16
"""Marks in memory; others are put aside. A set of all would take ten times the bytes of the marks."""


class MarkSets:
    """Marks of 64 bits, evenly distributed, in parts that are compared one by one."""

    def __init__(self) -> None:
        self._waiting = array("q")
        self._aside = Aside()
        self._sizes: list[Sequence[int]] = []
        """The bytes of each part, for each time that marks were put aside."""

    def add(self, marks: Sequence[int]) -> None:
        """Add marks."""
        self._waiting.extend(marks)
        if len(self._waiting) >= _WAITING:
            self._put_aside()

    def repeated(self) -> frozenset[int]:
        """The marks that appear more than once. Raises OSError."""
        found: set[int] = set()
        for part in self._whole_parts() if self._sizes else (self._waiting,):
            if len(set(part)) < len(part):
                found |= {mark for mark, count in Counter(part).items() if count > 1}
        return frozenset(found)

    def close(self) -> None:
        """Forget all marks."""
        self._aside.close()

    def _put_aside(self) -> None:
        parts = _parts(self._waiting)
        del self._waiting[:]
        self._sizes.append(array("Q", (len(part) * part.itemsize for part in parts)))
        for part in parts:
            self._aside.add(part.tobytes())

    def _whole_parts(self) -> Iterator[array[int]]:
        at = list(accumulate(map(sum, self._sizes), initial=0))
        for number, whole in enumerate(_parts(self._waiting)):
            for time, sizes in enumerate(self._sizes):
                whole.frombytes(self._aside.read(at[time], sizes[number]))
                at[time] += sizes[number]
            yield whole


def _parts(marks: array[int]) -> Sequence[array[int]]:
    parts = [array("q") for _ in range(_PARTS)]
    put, last = [part.append for part in parts], _PARTS - 1
    for mark in marks:
        put[mark & last](mark)
    return parts
