"""Tables of the live screen: columns are dropped by importance, the last one takes what is left, nothing wraps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import StringIO

from msgspec import Struct
from rich.console import Console
from rich.text import Text

from batchctl.report.layout import GAP


class Column(Struct, frozen=True):
    """One column, its cells from top to bottom."""

    title: str
    cells: Sequence[Text]
    rank: int
    """The order in which columns are dropped, the lowest first; 0: never."""
    least: int | None = None
    """The width from which it may be shown cut; None: it is never cut."""

    @property
    def width(self) -> int:
        """The width of its longest cell."""
        return max([len(self.title), *(cell.cell_len for cell in self.cells)])

    @property
    def need(self) -> int:
        """The least width that it can have."""
        return self.width if self.least is None else min(self.width, self.least)


def keep_columns(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that are shown in `width`."""
    kept = list(columns)
    for column in sorted((one for one in columns if one.rank), key=lambda one: one.rank):
        if sum(one.need for one in kept) + GAP * (len(kept) - 1) <= width:
            break
        kept.remove(column)
    return kept


def table_lines(columns: Sequence[Column], width: int) -> list[Text]:
    """The header and the rows of the kept columns.

    The width that is left goes to the columns that can be cut, in their order.
    """
    widths = {column.title: column.need for column in columns}
    spare = width - sum(widths.values()) - GAP * (len(columns) - 1)
    for column in columns:
        more = min(column.width - column.need, max(0, spare))
        widths[column.title] += more
        spare -= more
    header = [Text(column.title, "bold") for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    return [_line(cells, list(widths.values()), width) for cells in (header, *rows)]


def cut(text: Text, width: int) -> Text:
    """The text in at most `width` cells."""
    if text.cell_len <= width:
        return text
    short = text.copy()
    short.truncate(width, overflow="ellipsis")
    return short


def wrapped(text: Text, width: int) -> list[Text]:
    """The text in lines of at most `width` cells, broken between words."""
    lines = text.wrap(_wrapper(), width)
    for line in lines:
        line.rstrip()
    return [*lines]


@cache
def _wrapper() -> Console:
    """Rich asks for one to wrap text, and wraps by the width that it is given."""
    return Console(file=StringIO(), color_system=None)


def _line(cells: Sequence[Text], widths: Sequence[int], width: int) -> Text:
    line = Text()
    for cell, space in zip(cells, widths, strict=True):
        part = cut(cell, space)
        line.append_text(part)
        line.append(" " * (space - part.cell_len + GAP))
    line.rstrip()
    return cut(line, width)
