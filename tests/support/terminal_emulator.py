"""A terminal emulator (pyte) as the stream of a program: what is on the screen, with its colours."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import groupby

import pyte

_SIGNS = {"default": "", "red": "r", "green": "g", "brown": "y", "blue": "b", "magenta": "m", "cyan": "c"}
"""pyte's names of the eight colours; SGR 33 is brown there."""


class _Screen(pyte.HistoryScreen):
    """A screen that keeps what leaves it at its top, and cannot be paged back: for that, pyte wraps each event."""

    __getattribute__ = object.__getattribute__


class TerminalEmulator(io.StringIO):
    """A terminal of this size. `text()` is what a person sees on it."""

    encoding = "utf-8"
    TERM = "xterm-256color"

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__()
        self.screen = _Screen(columns, lines, history=100_000, ratio=0.001)
        self._stream = pyte.Stream(self.screen)
        self.written = 0
        """Characters so far."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        # A terminal's driver turns a line feed into a carriage return and a line feed.
        self.feed(text.replace("\r\n", "\n").replace("\n", "\r\n"))
        self.written += len(text)
        return super().write(text)

    def feed(self, text: str) -> None:
        """Show what comes from the driver of a terminal."""
        self._stream.feed(text)

    @property
    def env(self) -> dict[str, str]:
        return {"TERM": self.TERM, "COLUMNS": str(self.screen.columns), "LINES": str(self.screen.lines)}

    def text(self) -> str:
        """The lines of the screen without blank ones at the end."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip("\n") + "\n"

    def scrolled(self) -> list[str]:
        """The lines that have left the screen at its top."""
        top = self.screen.history.top
        return ["".join(line[x].data for x in range(self.screen.columns)).rstrip() for line in top]

    def styles(self) -> str:
        """For each line with styles, its number and the styled texts: `3: ! job (r,bold) | Failed (r,bold)`."""
        return "".join(
            f"{number}: {' | '.join(found)}\n"
            for number in range(self.screen.lines)
            if (found := [*self._styled(number)])
        )

    def _styled(self, number: int) -> Iterator[str]:
        cells = [self.screen.buffer[number][x] for x in range(self.screen.columns)]
        for style, run in groupby(cells, key=lambda cell: (_SIGNS.get(cell.fg, cell.fg), "bold" * cell.bold)):
            words = "".join(cell.data for cell in run).strip()
            if words and any(style):
                yield f"{words} ({','.join(filter(None, style))})"

    @property
    def is_restored(self) -> bool:
        """Whether the cursor is visible, and lines wrap."""
        return not self.screen.cursor.hidden and pyte.modes.DECAWM in self.screen.mode
