"""Tables of the live screen: columns are dropped by importance, the last one takes what is left, nothing wraps."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from batchctl.report.layout import GAP
from batchctl.report.rich_text import cut
from batchctl.report.text import Text


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


def _line(cells: Sequence[Text], widths: Sequence[int], width: int) -> Text:
    parts: list[Text | str] = []
    for cell, space in zip(cells, widths, strict=True):
        part = cut(cell, space)
        parts += [part, " " * (space - part.cell_len + GAP)]
    return cut(Text.assemble(*parts).rstripped(), width)
