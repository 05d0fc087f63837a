"""Globs that match in time linear in pattern and text: no rule and no URI can block the emulator."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PIECE = re.compile(r"\*{2,}|\*|[^*]", re.DOTALL)


def matches(glob: str, text: str) -> bool:
    """Whether the glob matches the text, with case. Only `*` and `?` are special: brackets match themselves."""
    parts = glob.split("*")
    if len(parts) == 1:
        return len(glob) == len(text) and _segment(glob).match(text) is not None
    first, *middle, last = parts
    end = len(text) - len(last)
    if end < len(first) or not (_segment(first).match(text) and _segment(last).match(text, end)):
        return False
    at = len(first)
    for part in middle:
        # The leftmost match is the best one: it leaves the most text for the remaining parts.
        found = _segment(part).search(text, at, end)
        if found is None:
            return False
        at = found.end()
    return True


def _segment(part: str) -> re.Pattern[str]:
    """The text between two stars. It matches a fixed number of characters, so there is no backtracking."""
    return re.compile("".join("." if char == "?" else re.escape(char) for char in part), re.DOTALL)


class PathGlob:
    """A pattern in which `*` matches anything within one folder, and `**` matches anything."""

    def __init__(self, pattern: str) -> None:
        pieces = _PIECE.findall(pattern)
        self._end = 1 << len(pieces)
        self._anything = _bits(pieces, [piece for piece in pieces if piece.startswith("**")])
        self._folder = _bits(pieces, ["*"])
        literals = [piece for piece in pieces if not piece.startswith("*")]
        self._literal = {char: _bits(pieces, [char]) for char in set(literals)}

    def covers(self, text: str) -> bool:
        """Whether the pattern matches the complete text. Bit n of the state: the first n pieces may be matched."""
        state = self._past_wildcards(1)
        for char in text:
            stay = state & (self._anything if char == "/" else self._anything | self._folder)
            state = self._past_wildcards(stay | (state & self._literal.get(char, 0)) << 1)
            if not state:
                return False
        return bool(state & self._end)

    def _past_wildcards(self, state: int) -> int:
        """The state with all positions that follow if wildcards match nothing."""
        while (more := state | (state & (self._anything | self._folder)) << 1) != state:
            state = more
        return state


def _bits(pieces: Sequence[str], wanted: Sequence[str]) -> int:
    return sum(1 << at for at, piece in enumerate(pieces) if piece in wanted)
