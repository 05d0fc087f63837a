"""Lines and tables on a console: alignment and wrapping.

On a terminal the last column wraps under itself; anywhere else nothing is wrapped, and nothing is ever cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from msgspec import Struct

from batchctl.report.console import Console
from batchctl.report.escape import terminal
from batchctl.report.text import Text, width_of

GAP = 2
"""Spaces between columns."""

LEAST_WIDTH = 24
"""Columns that the last cell needs to wrap under itself; with less, the terminal wraps the line."""

NOTE_INDENT = 4

_MOST_READY = 500
"""So many plain lines are written at once."""


class Row(Struct, frozen=True):
    """One line of a table, and the notes under it."""

    cells: tuple[Text, ...]
    notes: tuple[Text, ...] = ()


def outside(text: str, style: str = "") -> Text:
    """Text from outside, escaped."""
    return Text(terminal(text), style=style)


def named(name: str, value: Text) -> Row:
    """A line of a table of names and values."""
    return Row((Text(f"{name}:"), value))


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 job`, `3 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def write_line(console: Console, *parts: Text | str | tuple[str, str]) -> None:
    """One line, never wrapped. Plain strings are batchctl's own text."""
    console.print(Text.assemble(*parts))


def write_heading(console: Console, text: str) -> None:
    """An empty line and a title."""
    write_line(console)
    write_line(console, (text, "bold"))


def write_table(console: Console, rows: Iterable[Row], *, header: Sequence[str] = (), indent: int = 0) -> None:
    """Aligned columns, with the header as the first line where there is one. All rows have the same length."""
    titles = [Row(tuple(Text(title, style="bold") for title in header))] if header else []
    if console.is_plain:
        _write_plain_table(console, chain(titles, rows), indent)
    else:
        _write_table(console, [*titles, *rows], indent)
    console.file.flush()


def _write_table(console: Console, lines: Sequence[Row], indent: int) -> None:
    widths = [max(cell.cell_len for cell in column) for column in zip(*(row.cells for row in lines), strict=True)]
    for row in lines:
        _write_cells(console, row.cells, widths, indent)
        _write_notes(console, row.notes, indent)


def _write_notes(console: Console, notes: Iterable[Text], indent: int) -> None:
    for note in notes:
        write_line(console, " " * (indent + NOTE_INDENT), note)


def _write_plain_table(console: Console, rows: Iterable[Row], indent: int) -> None:
    """The same as `_write_table` without styles, which take most time and memory of a plan of thousands of jobs."""
    lines, notes = [], {}
    for number, row in enumerate(rows):
        lines.append([cell.plain for cell in row.cells])
        if row.notes:
            notes[number] = row.notes
    *columns, last = zip(*lines, strict=True) if lines else ((),)
    lines.clear()
    file, margin, ready = console.file, " " * indent, []
    for number, cells in enumerate(zip(*map(_padded, columns), last, strict=True)):
        ready.append(f"{margin}{''.join(cells)}".rstrip())
        if number in notes or len(ready) == _MOST_READY:
            ready.append("")
            file.write("\n".join(ready))
            ready.clear()
            _write_notes(console, notes.get(number, ()), indent)
    ready.append("")
    file.write("\n".join(ready))


def _padded(column: Sequence[str]) -> Iterator[str]:
    """The cells of a column with the spaces after them."""
    widths = list(map(width_of, column))
    most = max(widths) + GAP
    return (cell + " " * (most - width) for cell, width in zip(column, widths, strict=True))


def _write_cells(console: Console, cells: Sequence[Text], widths: Sequence[int], indent: int) -> None:
    parts: list[Text | str] = [" " * indent]
    for cell, width in zip(cells[:-1], widths, strict=False):
        parts += [cell, " " * (width - cell.cell_len + GAP)]
    before, last = Text.assemble(*parts), cells[-1]
    start = before.cell_len
    room = console.width - start
    first, *others = _wrapped(last, room) if LEAST_WIDTH <= room < last.cell_len else [last]
    for whole in (Text.assemble(before, first), *(Text.assemble(" " * start, other) for other in others)):
        console.print(whole.rstripped())


def _wrapped(text: Text, width: int) -> list[Text]:
    from batchctl.report.rich_text import wrapped  # for terminals

    return wrapped(text, width)
