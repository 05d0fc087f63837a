"""Collects faults, so that all of them are told at once.

Owns the collection and the wording of suggestions; decides nothing about what is a fault.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from batchctl.manifests.codes import Code
from batchctl.model.desired import Location
from batchctl.model.errors import Diagnostic, ManifestError


class Faults:
    """The faults found so far. The same fault met twice, such as one in the stack's defaults, counts once."""

    def __init__(self) -> None:
        self._found: set[Diagnostic] = set()

    def add(self, location: Location, code: Code, message: str, hint: str = "") -> None:
        """Note one fault."""
        self._found.add(Diagnostic(location, str(code), message, hint))

    def extend(self, error: ManifestError) -> None:
        """Note the faults of another reading."""
        self._found.update(error.diagnostics)

    def any(self) -> bool:
        """Whether anything was found so far."""
        return bool(self._found)

    def raise_if_any(self) -> None:
        """Raise ManifestError with everything found, sorted by place."""
        if self._found:
            raise ManifestError(sorted(self._found))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt word: the nearest known one, else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"one of: {', '.join(names)}" if names else ""
