"""Consoles for the two streams: colour and line width."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from batchctl.report.text import Text

if TYPE_CHECKING:  # for terminals and colours: forty modules
    import rich.console

UNBOUNDED_WIDTH = 100_000
"""For files and pipes, where no line is wrapped or cut."""


class Color(StrEnum):
    """`--color`."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Console:
    """Writes lines to a stream: by rich to a terminal or in colours, and as they are anywhere else."""

    def __init__(self, file: TextIO, env: Mapping[str, str], *, is_terminal: bool, has_colors: bool) -> None:
        self.file = file
        self.is_terminal = is_terminal
        self.is_plain = not (is_terminal or has_colors)
        """Whether lines need no styles and are not wrapped."""
        self._has_colors = has_colors
        self._env = env

    @cached_property
    def _rich(self) -> rich.console.Console:
        from batchctl.report.rich_text import rich_console

        width = None if self.is_terminal else UNBOUNDED_WIDTH
        return rich_console(
            self.file, self._env, is_terminal=self.is_terminal, has_colors=self._has_colors, width=width
        )

    @property
    def width(self) -> int:
        """The columns of a line."""
        return self._rich.width if self.is_terminal else UNBOUNDED_WIDTH

    @property
    def size(self) -> tuple[int, int]:
        """The columns and the lines of a terminal, as they are now."""
        return self._rich.size

    @property
    def encoding(self) -> str:
        """The encoding of the stream, in small letters."""
        return (getattr(self.file, "encoding", None) or "utf-8").lower()

    def print(self, text: Text | str = "") -> None:
        """Write one line, never wrapped. A string is batchctl's own text."""
        text = Text(text) if isinstance(text, str) else text
        self.file.write(f"{text.plain if self.is_plain else self.styled(text)}\n")
        self.file.flush()

    def styled(self, text: Text) -> str:
        """The text with the codes of its styles, without a line end."""
        from batchctl.report.rich_text import as_rich

        with self._rich.capture() as captured:
            self._rich.print(as_rich(text), soft_wrap=True, end="")
        return captured.get()


def make_console(stream: TextIO, color: str, env: Mapping[str, str]) -> Console:
    """A console that writes to `stream`; the first of these that is set decides about colour.

    In order: `--color`, `NO_COLOR`, `FORCE_COLOR`, whether the stream is a terminal. Raises ValueError when `color` is
    none of `Color`.
    """
    terminal = is_terminal(stream, env)
    return Console(stream, env, is_terminal=terminal, has_colors=_wants_color(Color(color), terminal=terminal, env=env))


def is_terminal(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal that supports cursor movement."""
    return stream.isatty() and env.get("TERM", "") != "dumb"


def _wants_color(color: Color, *, terminal: bool, env: Mapping[str, str]) -> bool:
    if color is not Color.AUTO:
        return color is Color.ALWAYS
    if env.get("NO_COLOR"):
        return False
    return terminal or env.get("FORCE_COLOR", "0") not in {"", "0"}
