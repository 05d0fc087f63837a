"""Reads a file of rows in blocks: lines of a known form at once, all others one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from msgspec import Struct

from batchctl.rows.jsonl import Line, read_lines
from batchctl.rows.line_blocks import BLOCK, LineBlocks
from batchctl.rows.line_forms import LineForms, RowBlock

if TYPE_CHECKING:  # for commands that send rows
    from batchctl.rows.checked_files import CheckedFile


class FileBlock(Struct, frozen=True):
    """Some lines of a file."""

    rows: RowBlock | None
    """Their rows, if all lines have known forms."""
    lines: Callable[[], Iterator[Line]]
    """Reads them one by one."""
    content: bytes | None
    """Their bytes; None for a line that is longer than a block."""


def read_blocks(
    blocks: LineBlocks, forms: LineForms, line_bytes: int, checked: CheckedFile | None = None
) -> Iterator[FileBlock]:
    """All lines of a file. Raises OSError, and OtherBytes if it is not the file that was `checked`."""
    before = number = 0
    while True:
        block = blocks.block()
        if block:
            around = None if checked is None else checked.around(number, block)
            number += 1
            # The first lines are read one by one: they show the forms.
            rows = forms.read(block, around) if before and line_bytes >= BLOCK else None
            yield FileBlock(rows, partial(read_lines, BytesIO(block), line_bytes, before), block)
            before += len(rows) if rows is not None else block.count(b"\n")
            continue
        line = next(read_lines(blocks, line_bytes, before), None)
        if line is None:
            if checked is not None:
                checked.require_end(number)
            return
        yield FileBlock(None, partial(iter, (line,)), None)
        before = line.number
