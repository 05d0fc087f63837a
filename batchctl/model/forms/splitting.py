"""Splits a block of lines at what they have in common, which leaves the texts of each gap as a column.

The split is exact by itself: nothing else can be around the gaps. Whether a text is allowed in its gap is to be proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import TypeAlias

from batchctl.model.forms.templates import Column

Around: TypeAlias = tuple[bytes, ...]
"""The text of a line before the first gap, between gaps, and after the last one, with a line end."""


def between(line: bytes, places: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """The texts of a line around some places, the last one with a line end."""
    at = 0
    for start, end in places:
        yield line[at:start]
        at = end
    yield line[at:] + b"\n"


def split(block: bytes, between: Sequence[bytes]) -> Sequence[Column] | None:
    """The columns of a block of whole lines; None if a line has other texts around its gaps."""
    first, *middle, last = between
    if len(block) < len(first) + len(last) or not (block.startswith(first) and block.endswith(last)):
        return None
    # `split` prepares its search again for each piece, which `rsplit` does not: it takes a third less.
    rest: list[bytes] | Column = block.rsplit(last + first)
    if len(rest[0]) < len(first) or len(rest[-1]) < len(last):
        return None
    rest = [rest[0][len(first) :], *rest[1:]]
    rest[-1] = rest[-1][: -len(last)]
    columns: list[Column] = []
    for text in middle:
        column, found, rest = zip(*map(bytes.partition, rest, repeat(text)), strict=True)
        if not all(found):  # a line without this text
            return None
        columns.append(column)
    return [*columns, rest]
