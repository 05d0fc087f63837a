"""Wildcards in the names of objects: `*` stands for anything within one folder, `**` for anything at all.

Other signs stand for themselves. Takes time by the length of pattern and name alone. Source: reference 3.1.
"""

from __future__ import annotations

import re

_PIECE = re.compile(r"\*{2,}|\*|[^*]", re.DOTALL)
_ANY = "**"
_ONE_FOLDER = "*"


def literal_part(pattern: str) -> str:
    """What stands before the first wildcard; the whole pattern when there is none."""
    return pattern.partition("*")[0]


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name fits."""
    pieces = [_ANY if len(piece) > 1 else piece for piece in _PIECE.findall(pattern)]
    places = _past_wildcards({0}, pieces)
    for char in name:
        places = _past_wildcards({after for at in places for after in _step(pieces, at, char)}, pieces)
    return len(pieces) in places


def _step(pieces: list[str], at: int, char: str) -> tuple[int, ...]:
    """Where a character leads from a place in the pattern."""
    if at == len(pieces):
        return ()
    piece = pieces[at]
    if piece == _ANY or (piece == _ONE_FOLDER and char != "/"):
        return (at,)
    return (at + 1,) if piece == char and piece != _ONE_FOLDER else ()


def _past_wildcards(places: set[int], pieces: list[str]) -> set[int]:
    """The places, and those behind wildcards that stand for nothing there."""
    reached = set(places)
    for place in places:
        at = place
        while at < len(pieces) and pieces[at] in (_ANY, _ONE_FOLDER):
            at += 1
            reached.add(at)
    return reached
