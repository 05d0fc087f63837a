"""The screen of a terminal emulator as a picture (SVG) for the pages: text, no fonts or files from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

from tests.support.terminal_emulator import TerminalEmulator

_CELL, _LINE, _MARGIN, _BAR = 8.4, 19, 16, 34
"""Width of a cell, height of a line, and what is around them, in pixels."""
_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace"
_COLORS = {
    "default": "#d0d7de",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
}


_PARTS = re.compile(r"\S+(?: \S+)*")
"""Words with single spaces: viewers shrink longer ones."""


def screen_picture(terminal: TerminalEmulator, command: str, most: int = 1000) -> str:
    """The picture of the first lines of the screen, with the command as the title of its window."""
    lines = min(most, terminal.text().rstrip("\n").count("\n") + 1)
    width = round(terminal.screen.columns * _CELL + 2 * _MARGIN)
    height = lines * _LINE + _BAR + 2 * _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(command)}</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
            *(f'<circle cx="{22 + 20 * number}" cy="19" r="6" fill="#484f58"/>' for number in range(3)),
            f'<g font-family="{_FONTS}" font-size="14">',
            f'<text x="{width // 2}" y="24" text-anchor="middle" fill="#8b949e">{escape(command)}</text>',
            *(text for number in range(lines) for text in _texts(terminal, number)),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _texts(terminal: TerminalEmulator, number: int) -> Iterator[str]:
    """The runs of one style of a line. Their lengths are given, so that columns are aligned in any font."""
    cells = [(x, terminal.screen.buffer[number][x]) for x in range(terminal.screen.columns)]
    for (color, bold), run in groupby(cells, key=lambda cell: (cell[1].fg, cell[1].bold)):
        found = list(run)
        words = "".join(cell.data for _, cell in found)
        weight = ' font-weight="bold"' if bold else ""
        y = _BAR + _MARGIN + number * _LINE + 10
        for part in _PARTS.finditer(words):
            x, length = _MARGIN + (found[0][0] + part.start()) * _CELL, len(part[0]) * _CELL
            place = f'x="{x:.1f}" y="{y}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"'
            yield f'<text {place} fill="{_COLORS[color]}"{weight}>{escape(part[0])}</text>'
