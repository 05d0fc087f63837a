"""Reads a file of rows in blocks: lines of a known form at once, all others one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO

from msgspec import Struct

from batchctl.rows.jsonl import Line, read_lines
from batchctl.rows.line_blocks import BLOCK, LineBlocks
from batchctl.rows.line_forms import LineForms, RowBlock


class FileBlock(Struct, frozen=True):
    """Some lines of a file."""

    rows: RowBlock | None
    """Their rows, if all lines have known forms."""
    lines: Callable[[], Iterator[Line]]
    """Reads them one by one."""


def read_blocks(blocks: LineBlocks, forms: LineForms, line_bytes: int) -> Iterator[FileBlock]:
    """All lines of a file. Raises OSError."""
    before = 0
    while True:
        block = blocks.block()
        if block:
            # The first lines are read one by one: they show the forms.
            rows = forms.read(block) if before and line_bytes >= BLOCK else None
            yield FileBlock(rows, partial(read_lines, BytesIO(block), line_bytes, before))
            before += len(rows) if rows is not None else block.count(b"\n")
            continue
        line = next(read_lines(blocks, line_bytes, before), None)
        if line is None:
            return
        yield FileBlock(None, partial(iter, (line,)))
        before = line.number
