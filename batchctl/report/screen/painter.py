"""Writes the lines of the live screen below the lines of progress, in place.

Only lines that differ are written, over the old ones and in one write, so nothing flickers. rich's `Live` erases all
lines first, and finds them again only while the terminal keeps its width (docs/decisions/0103-one-live-screen.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from batchctl.report.console import Console
from batchctl.report.text import Text

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"

RESTORE = _WRAP + _SHOW
"""Gives a terminal back as it was, for a process that ends at once."""


class Painter:
    """The lines below the cursor's first line. Between two calls the cursor is on an empty line below them.

    Not safe for threads.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: list[Text] = []
        self._written: list[str] = []
        self._width = 0
        self._is_open = False

    def paint(self, lines: Sequence[Text], above: Sequence[Text], width: int) -> None:
        """Show these lines in place of the last ones. `above`: lines that stay above them for good."""
        parts = ["" if self._is_open else _HIDE]
        if above or width != self._width:
            parts += [self._erased(width), *(f"{self._styled(text)}\n" for text in above)]
            self._shown, self._written = [], []
        else:
            parts.append(_up(len(self._shown)))
        self._width, self._is_open = width, True
        parts += [_NO_WRAP, *self._changed(lines, width), _ERASE_BELOW, _WRAP]
        self._write("".join(parts))

    def erase(self) -> None:
        """Remove the lines, so that something else can be written in their place."""
        if self._is_open:
            self._write(self._erased(self._console.width) + _SHOW)
        self._shown, self._written, self._is_open = [], [], False

    def leave(self) -> None:
        """Leave the lines where they are, and the cursor below them."""
        if self._is_open:
            self._write(f"\r{_ERASE_BELOW}{_SHOW}")
        self._shown, self._written, self._is_open = [], [], False

    def _changed(self, lines: Sequence[Text], width: int) -> list[str]:
        """The text to write for each line: only the end of the line for one that is as it was."""
        written, parts = [], []
        for number, line in enumerate(lines):
            if number < len(self._shown) and self._shown[number] == line:
                written.append(self._written[number])
                parts.append("\n")
                continue
            # After a character in the last column, the cursor is still in that column: erasing would take it.
            styled = self._styled(line) + ("" if line.cell_len >= width else _ERASE_LINE)
            written.append(styled)
            parts.append(f"{styled}\n")
        self._shown, self._written = list(lines), written
        return parts

    def _erased(self, width: int) -> str:
        """Go to the first of the lines, and erase from there.

        A terminal that has become narrower has wrapped lines that no longer fit.
        """
        return _up(sum(max(1, math.ceil(line.cell_len / max(1, width))) for line in self._shown)) + _ERASE_BELOW

    def _styled(self, text: Text) -> str:
        return self._console.styled(text)

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def _up(lines: int) -> str:
    return f"\r\x1b[{lines}A" if lines else "\r"
