"""Texts with gaps: what is written for every row of a form, made once from a row with a mark in each gap."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Self, TypeAlias

from msgspec import Struct

_MARK, _NUMBER_MARK = "b3c9f1d27a64e850-", "73940168257"
"""Stand for a text and a number while a form is learned, before the number of the gap."""
_MARKS = re.compile(f"(?:{_MARK}|{_NUMBER_MARK})[0-9]{{4}}".encode())
Column: TypeAlias = Sequence[bytes]
"""The texts of one gap, row by row."""


def mark_of(gap: int, *, is_number: bool = False) -> str:
    """The mark of a gap."""
    return f"{_NUMBER_MARK if is_number else _MARK}{gap:04}"


def marks_in(text: bytes) -> Sequence[str]:
    """The marks in a text, in their order."""
    return [mark.decode() for mark in _MARKS.findall(text)]


class Template(Struct, frozen=True):
    """A line with gaps."""

    between: tuple[bytes, ...]
    """The text before the first gap, between gaps, and after the last one; with a line end."""
    gaps: tuple[int, ...]
    """The numbers of the gaps, in the order of the line."""

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
        return cls(tuple(_MARKS.split(line + b"\n")), tuple(marks.index(mark) for mark in found))

    def lines(self, columns: Sequence[Column], count: int) -> bytes:
        """The lines of so many rows, given the texts of all gaps."""
        first, *others = self.between
        if not others or not count:
            return first * count
        # The end of a line and the start of the next one are one piece.
        others[-1] += first
        width = 2 * len(others)
        pieces = [first] * (1 + width * count)
        for place, (gap, after) in enumerate(zip(self.gaps, others, strict=True)):
            pieces[1 + 2 * place :: width] = columns[gap]
            pieces[2 + 2 * place :: width] = [after] * count
        pieces[-1] = self.between[-1]
        return b"".join(pieces)

    def with_last(self, inner: Template) -> Template:
        """The template with another one in its last gap. The gaps of that one are numbered on."""
        *start, before, after = self.between
        others = [*inner.between[:-1], inner.between[-1].removesuffix(b"\n")]
        others[0] = before + others[0]
        others[-1] += after
        last = len(self.gaps) - 1
        return Template((*start, *others), (*self.gaps[:last], *(last + gap for gap in inner.gaps)))

    def texts(self, columns: Sequence[Column], count: int) -> tuple[bytes, Sequence[bytes]]:
        """The same without line ends: a text that all lines begin with, and what follows in each of them."""
        if len(self.gaps) != 1:
            return b"", self.lines(columns, count).split(b"\n")[:-1]
        first, last = self.between[0], self.between[1].removesuffix(b"\n")
        return first, [text + last for text in columns[self.gaps[0]]]
