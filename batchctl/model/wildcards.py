"""Wildcards in object names: `*` matches anything within one folder, `**` matches anything.

All other characters match themselves. The time depends on the lengths of pattern and name alone. Source: reference 3.1.
"""

from __future__ import annotations

import re

from batchctl.model.pattern import Pattern

_PIECE = Pattern(r"\*{2,}|\*|[^*]", re.DOTALL)
_ANY = "**"
_ONE_FOLDER = "*"


def literal_part(pattern: str) -> str:
    """The part before the first wildcard; the complete pattern when there is none."""
    return pattern.partition("*")[0]


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the complete name."""
    pieces = [_ANY if len(piece) > 1 else piece for piece in _PIECE.findall(pattern)]
    places = _past_wildcards({0}, pieces)
    for char in name:
        places = _past_wildcards({after for at in places for after in _step(pieces, at, char)}, pieces)
    return len(pieces) in places


def _step(pieces: list[str], at: int, char: str) -> tuple[int, ...]:
    """The next positions in the pattern after a character."""
    if at == len(pieces):
        return ()
    piece = pieces[at]
    if piece == _ANY or (piece == _ONE_FOLDER and char != "/"):
        return (at,)
    return (at + 1,) if piece == char and piece != _ONE_FOLDER else ()


def _past_wildcards(places: set[int], pieces: list[str]) -> set[int]:
    """The positions, and those after wildcards that match nothing."""
    reached = set(places)
    for place in places:
        at = place
        while at < len(pieces) and pieces[at] in (_ANY, _ONE_FOLDER):
            at += 1
            reached.add(at)
    return reached
