"""Finds the name that a misspelt one most likely means."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 60
"""Longer names get no suggestion: comparing long texts is slow."""
_CUTOFF = 0.65
"""The least similarity of two names, from 0 to 1."""


def similar(word: str, names: Iterable[str]) -> str | None:
    """The name that is most similar to a word, ignoring case; None if no name is similar."""
    short = _by_lower_case(names)
    near = similar_in_case(word.lower(), short)
    return None if near is None else short[near]


def similar_in_case(word: str, names: Iterable[str]) -> str | None:
    """The name that is most similar to a word, where case makes a difference; None if no name is similar."""
    if len(word) > LONGEST:
        return None
    import difflib  # only errors suggest a name

    near = difflib.get_close_matches(word, names, n=1, cutoff=_CUTOFF)
    return near[0] if near else None


def closest(word: str, names: Iterable[str]) -> str | None:
    """The only name that starts with a word, else the most similar one; None if there is neither."""
    if len(word) > LONGEST:
        return None
    short = _by_lower_case(names)
    longer = [name for name in short if name.startswith(word.lower())]
    return short[longer[0]] if len(longer) == 1 else similar(word, short.values())


def did_you_mean(word: str, names: Iterable[str], otherwise: str = "") -> str:
    """The hint for a misspelt name; without a similar name it is `otherwise`."""
    near = similar(word, names)
    return otherwise if near is None else f"did you mean {near}?"


def _by_lower_case(names: Iterable[str]) -> dict[str, str]:
    return {name.lower(): name for name in names if len(name) <= LONGEST}


_FILE_ENDINGS = (".yaml", ".yml", ".json")


def is_file_name(word: str) -> bool:
    """Whether an argument in the place of a job's name can only be a file or a folder: names have no `/` and no dot."""
    return "/" in word or word.endswith(_FILE_ENDINGS)
