"""Text of the user as part of a message: on one line, visible, and not too long. Pure."""

from __future__ import annotations

LONGEST_SHOWN = 60
"""Characters of anything written by the user that are repeated in a message."""


def cut(text: str, length: int = LONGEST_SHOWN) -> str:
    """The text with escapes for what cannot be seen, cut after `length` characters."""
    start = "".join(char if char.isprintable() else _escaped(char) for char in text[:length])
    return f"{start}…" if len(text) > length else start


def shown(text: str) -> str:
    """The same in double quotes."""
    return f'"{cut(text)}"'


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
