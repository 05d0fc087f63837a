"""Texts by rich: styles as codes of a terminal, lines that wrap or are cut. Loaded where that is needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import StringIO
from typing import Literal, TextIO

import rich.console
import rich.text

from batchctl.report.text import Span, Text

COLORS: Literal["standard"] = "standard"
"""Text uses the eight colours that every terminal and theme supports."""


def rich_console(
    file: TextIO, env: Mapping[str, str], *, is_terminal: bool, has_colors: bool, width: int | None
) -> rich.console.Console:
    """Rich's console. Markup, emoji codes and highlighting are off, so that text from outside is only text."""
    return rich.console.Console(
        file=file,
        force_terminal=is_terminal,
        color_system=COLORS if has_colors else None,
        no_color=False,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        _environ=env,
    )


def as_rich(text: Text) -> rich.text.Text:
    """The text as one of rich."""
    return rich.text.Text(
        text.plain, text.style, spans=[rich.text.Span(one.start, one.end, one.style) for one in text.spans]
    )


def _from_rich(text: rich.text.Text) -> Text:
    spans = tuple(Span(one.start, one.end, str(one.style)) for one in text.spans)
    return Text(text.plain, str(text.style), spans)


def cut(text: Text, width: int, *, pad: bool = False) -> Text:
    """The text in at most `width` columns, with a sign of what is missing. `pad`: in exactly so many."""
    if text.cell_len <= width and not pad:
        return text
    short = as_rich(text)
    short.truncate(width, overflow="ellipsis", pad=pad)
    return _from_rich(short)


def wrapped(text: Text, width: int) -> list[Text]:
    """The text in lines of at most `width` columns, broken between words."""
    return [_from_rich(line).rstripped() for line in as_rich(text).wrap(_wrapper(), width)]


@cache
def _wrapper() -> rich.console.Console:
    """Rich asks for one to wrap text, and wraps by the width that it is given."""
    return rich.console.Console(file=StringIO(), color_system=None)
