"""Rich consoles for the two streams: colour and line width."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TextIO

from rich.console import Console

UNBOUNDED_WIDTH = 100_000
"""For files and pipes, where no line is wrapped or cut."""


COLORS: Literal["standard"] = "standard"
"""Text uses the eight colours that every terminal and theme supports."""


class Color(StrEnum):
    """`--color`."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def make_console(stream: TextIO, color: str, env: Mapping[str, str]) -> Console:
    """A console that writes to `stream`; the first of these that is set decides about colour.

    In order: `--color`, `NO_COLOR`, `FORCE_COLOR`, whether the stream is a terminal. Markup, emoji codes and
    highlighting are off, so that text from outside is only text. Raises ValueError when `color` is none of `Color`.
    """
    terminal = is_terminal(stream, env)
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system=COLORS if _wants_color(Color(color), terminal=terminal, env=env) else None,
        no_color=False,
        width=None if terminal else UNBOUNDED_WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
        _environ=env,
    )


def is_terminal(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal that supports cursor movement."""
    return stream.isatty() and env.get("TERM", "") != "dumb"


def _wants_color(color: Color, *, terminal: bool, env: Mapping[str, str]) -> bool:
    if color is not Color.AUTO:
        return color is Color.ALWAYS
    if env.get("NO_COLOR"):
        return False
    return terminal or env.get("FORCE_COLOR", "0") not in {"", "0"}
