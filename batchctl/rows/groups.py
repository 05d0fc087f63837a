"""Rows grouped by a fingerprint, compactly: two numbers per row, and no object.

Independent of the values behind the fingerprints.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from operator import ne


class Groups:
    """The rows of one input, grouped by a 64-bit fingerprint; within a group in input order."""

    def __init__(self, marks: Sequence[int]) -> None:
        self._rows = array("I", sorted(range(len(marks)), key=marks.__getitem__))
        self._marks = array("Q", (marks[row] for row in self._rows))
        self._gone = array("I", bytes(4 * len(marks)))
        """At a group's start: how many of its first rows are taken."""

    @cached_property
    def is_distinct(self) -> bool:
        """Whether each group has one row."""
        return all(map(ne, self._marks, islice(self._marks, 1, None)))

    def first(self, mark: int) -> int | None:
        """The first row of a group; None if there is no such group."""
        start = bisect_left(self._marks, mark)
        return self._rows[start] if start < len(self._marks) and self._marks[start] == mark else None

    def only(self, mark: int) -> int | None:
        """The row of a group of one row; None for any other group."""
        row = self.first(mark)
        after = bisect_left(self._marks, mark) + 1
        return None if after < len(self._marks) and self._marks[after] == mark else row

    def free(self, mark: int, taken: bytearray) -> Iterator[int]:
        """The rows of a group that are not taken. Taking the first one has the same cost for a group of any size."""
        start, end = bisect_left(self._marks, mark), bisect_right(self._marks, mark)
        if start == end:
            return
        at = start + self._gone[start]
        while at < end and taken[self._rows[at]]:
            at += 1
        self._gone[start] = at - start
        for place in range(at, end):
            if not taken[self._rows[place]]:
                yield self._rows[place]

    def all(self, mark: int) -> Iterator[int]:
        """The rows of a group, taken or not."""
        for place in range(bisect_left(self._marks, mark), len(self._marks)):
            if self._marks[place] != mark:
                return
            yield self._rows[place]

    def groups(self) -> Iterator[Sequence[int]]:
        """Each group of more than one row."""
        start = 0
        while start < len(self._rows):
            end = bisect_right(self._marks, self._marks[start], start)
            if end - start > 1:
                yield self._rows[start:end]
            start = end
