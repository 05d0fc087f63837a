"""What a misspelt name most likely stands for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 60
"""Characters of a name that is looked up: comparing long texts takes longer than a hint is worth."""


def similar(word: str, names: Iterable[str]) -> str | None:
    """The name that is spelt most like a word, upper and lower case being the same; None where none is."""
    if len(word) > LONGEST:
        return None
    short = _by_lower_case(names)
    near = difflib.get_close_matches(word.lower(), short, n=1, cutoff=0.65)
    return short[near[0]] if near else None


def closest(word: str, names: Iterable[str]) -> str | None:
    """The one name that a word begins, else the one that is spelt most like it; None where there is neither."""
    if len(word) > LONGEST:
        return None
    short = _by_lower_case(names)
    longer = [name for name in short if name.startswith(word.lower())]
    return short[longer[0]] if len(longer) == 1 else similar(word, short.values())


def _by_lower_case(names: Iterable[str]) -> dict[str, str]:
    return {name.lower(): name for name in names if len(name) <= LONGEST}
