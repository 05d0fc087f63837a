"""A table within the width of a terminal: some columns shrink or are omitted, in order; names are never cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from batchctl.report.layout import GAP
from batchctl.report.text import Text

LEAST: Mapping[str, int] = {"REASON": 16, "MODEL": 10}
"""The least width of a column before it is omitted; other columns are omitted at once."""
GIVING_WAY = ("REASON", "MODEL", "AGE", "REMOTE", "PROVIDER", "ATTEMPT", "STATE", "ROWS")
"""The columns that shrink, in this order. Name and phase never do."""


class Column(Struct, frozen=True):
    """One column, its cells from top to bottom."""

    title: str
    cells: tuple[Text, ...]

    @property
    def width(self) -> int:
        """The width of its longest cell."""
        return max([len(self.title), *(cell.cell_len for cell in self.cells)])


def fit(columns: Sequence[Column], width: int) -> list[Text]:
    """The lines of a table with its header, none longer than `width` while any column can shrink."""
    kept = fit_widths({column.title: column.width for column in columns}, width)
    shown = [column for column in columns if column.title in kept]
    header = [Text(column.title, style="bold") for column in shown]
    rows = [[column.cells[number] for column in shown] for number in range(len(columns[0].cells))]
    return [_line(row, [kept[column.title] for column in shown]) for row in (header, *rows)]


def fit_widths(widths: Mapping[str, int], width: int) -> dict[str, int]:
    """The width of each column; columns that do not fit are omitted."""
    kept = dict(widths)
    for title in (title for title in GIVING_WAY if title in widths):
        over = sum(kept.values()) + GAP * (len(kept) - 1) - width
        if over <= 0:
            break
        narrow = kept[title] - over
        if narrow >= LEAST.get(title, kept[title]):
            kept[title] = narrow
        else:
            del kept[title]
    return kept


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    from batchctl.report.rich_text import cut  # for terminals

    cut_cells = [cut(cell, width, pad=True) for cell, width in zip(cells, widths, strict=True)]
    return Text.joined(" " * GAP, cut_cells).rstripped()
