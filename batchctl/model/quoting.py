"""Prepares users' text for messages: on one line, printable, and short."""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json

LONGEST_SHOWN = 60
"""The most characters of a user's text that a message repeats."""


def cut(text: str, length: int = LONGEST_SHOWN) -> str:
    """The text with escapes for unprintable characters, cut after `length` characters."""
    start = "".join(char if char.isprintable() else _escaped(char) for char in text[:length])
    return f"{start}…" if len(text) > length else start


def shown(text: str) -> str:
    """The text, escaped and cut, in double quotes."""
    return f'"{cut(text)}"'


def shown_json(value: Json) -> str:
    """A value as JSON writes it, on one line and cut: what a file has may be of any length."""
    if isinstance(value, list | Mapping):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, str):
        return shown(value)
    import json  # to show a number as Python writes it

    return cut(json.dumps(value))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
