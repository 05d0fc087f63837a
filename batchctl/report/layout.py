"""Lines and tables on a console: alignment and wrapping.

On a terminal the last column wraps under itself; anywhere else nothing is wrapped, and nothing is ever cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from batchctl.report.escape import terminal

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
    console.print(Text.assemble(*parts), soft_wrap=True)


def write_heading(console: Console, text: str) -> None:
    """An empty line and a title."""
    write_line(console)
    write_line(console, (text, "bold"))


def write_table(console: Console, rows: Iterable[Row], *, header: Sequence[str] = (), indent: int = 0) -> None:
    """Aligned columns, with the header as the first line where there is one. All rows have the same length."""
    titles = [Row(tuple(Text(title, style="bold") for title in header))] if header else []
    if _is_plain(console):
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


def _is_plain(console: Console) -> bool:
    """Whether lines need no styles and are not wrapped."""
    return console.color_system is None and not console.is_terminal


def _write_plain_table(console: Console, rows: Iterable[Row], indent: int) -> None:
    """The same as `_write_table` without rich, which takes most time and memory of a plan of thousands of jobs."""
    lines = [(tuple([cell.plain for cell in row.cells]), row.notes) for row in rows]
    widths = [max(map(_width, column)) for column in zip(*[cells for cells, _ in lines], strict=True)]
    file, margin, ready = console.file, " " * indent, []
    for cells, notes in lines:
        padded = [cell + " " * (width - _width(cell) + GAP) for cell, width in zip(cells[:-1], widths, strict=False)]
        ready.append(f"{margin}{''.join(padded)}{cells[-1]}".rstrip() + "\n")
        if notes or len(ready) == _MOST_READY:
            file.write("".join(ready))
            ready.clear()
            _write_notes(console, notes, indent)
    file.write("".join(ready))


def _width(text: str) -> int:
    """The columns of a terminal that escaped text takes."""
    return len(text) if text.isascii() else cell_len(text)


def _write_cells(console: Console, cells: Sequence[Text], widths: Sequence[int], indent: int) -> None:
    line = Text(" " * indent)
    for cell, width in zip(cells[:-1], widths, strict=False):
        line.append_text(cell)
        line.append(" " * (width - cell.cell_len + GAP))
    start, last = line.cell_len, cells[-1]
    room = console.width - start
    wrapped = [*last.wrap(console, room)] if LEAST_WIDTH <= room < last.cell_len else [last]
    for number, part in enumerate(wrapped):
        whole = line + part if number == 0 else Text(" " * start) + part
        whole.rstrip()
        console.print(whole, soft_wrap=True)
