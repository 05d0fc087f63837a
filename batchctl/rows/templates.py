"""Texts with gaps: what is written for every row of a form, made once from a row with a mark in each gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Self, TypeAlias

from msgspec import Struct

_MARK, _NUMBER_MARK = "b3c9f1d27a64e850-", "73940168257"
"""Stand for a text and a number while a form is learned, before the number of the gap."""
_MARKS = re.compile(f"(?:{_MARK}|{_NUMBER_MARK})[0-9]{{4}}".encode())
Gaps: TypeAlias = tuple[bytes, ...]
"""The texts of a row's gaps."""
_Order: TypeAlias = Callable[[Gaps], Gaps]


def mark_of(gap: int, *, is_number: bool = False) -> str:
    """The mark of a gap."""
    return f"{_NUMBER_MARK if is_number else _MARK}{gap:04}"


def marks_in(text: bytes) -> Sequence[str]:
    """The marks in a text, in their order."""
    return [mark.decode() for mark in _MARKS.findall(text)]


class Template(Struct, frozen=True, eq=False):
    """A line with gaps."""

    line: bytes
    """With `%b` for each gap, and a line end."""
    order: _Order | None
    """Puts the texts of a row's gaps into the order of `line`; None if they have it."""

    @classmethod
    def of(cls, line: bytes, marks: Sequence[str]) -> Self | None:
        """The template of a line without its end; None unless each of the marks of all gaps is in it once."""
        found = marks_in(line)
        return cls._filled(line, marks, found) if sorted(found) == sorted(marks) else None

    @classmethod
    def of_some(cls, line: bytes, marks: Sequence[str]) -> Self | None:
        """The same where gaps may be missing; None if one is in it twice."""
        found = marks_in(line)
        is_plain = len(set(found)) == len(found) and set(found) <= set(marks)
        return cls._filled(line, marks, found) if is_plain else None

    @classmethod
    def _filled(cls, line: bytes, marks: Sequence[str], found: Sequence[str]) -> Self:
        text = _MARKS.sub(b"%b", line.replace(b"%", b"%%")) + b"\n"
        order = [marks.index(mark) for mark in found]
        return cls(text, None if order == list(range(len(marks))) else _taking(order))

    def lines(self, rows: Sequence[Gaps]) -> bytes:
        """The lines of rows, given the texts of their gaps."""
        return b"".join(map(self.line.__mod__, rows if self.order is None else map(self.order, rows)))


def _taking(order: Sequence[int]) -> _Order:
    if len(order) > 1:
        return itemgetter(*order)
    return (lambda row: (row[order[0]],)) if order else (lambda _row: ())
