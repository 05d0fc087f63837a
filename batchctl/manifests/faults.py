"""Collects faults, so that all of them are told at once.

Owns the collection and the wording of suggestions; decides nothing about what is a fault.
"""

from __future__ import annotations

from collections.abc import Collection

from batchctl.manifests.codes import Code
from batchctl.model.desired import Diagnostic, Location
from batchctl.model.errors import ManifestError
from batchctl.model.quoting import LONGEST_SHOWN, cut
from batchctl.model.suggest import similar

MOST_FAULTS = 500
"""Told in one go: more help nobody, and a file of another kind can have a million."""
MOST_NAMES = 200
"""Looked through for a suggestion."""
LONGEST_LIST = 200
"""Characters of known names in a hint."""
LONGEST_PATH = 200
"""The same for paths, which are of no use in part."""


class Faults:
    """The faults found so far. The same fault met twice, such as one in the stack's defaults, counts once."""

    def __init__(self) -> None:
        self._found: set[Diagnostic] = set()
        self._warnings: set[Diagnostic] = set()

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is doubtful, sorted by place. It keeps nothing from being done."""
        return tuple(sorted(self._warnings))

    def warn(self, location: Location, code: Code, message: str, hint: str = "") -> None:
        """Note something doubtful. Beyond `MOST_FAULTS`, warnings are dropped: they say the same over and over."""
        if len(self._warnings) < MOST_FAULTS:
            self._warnings.add(Diagnostic(location, str(code), message, hint))

    def add(self, location: Location, code: Code, message: str, hint: str = "") -> None:
        """Note one fault. Raises ManifestError when there are too many to go on."""
        self._note(Diagnostic(location, str(code), message, hint))

    def _note(self, fault: Diagnostic) -> None:
        self._found.add(fault)
        if len(self._found) >= MOST_FAULTS:
            message = f"{MOST_FAULTS} faults were found up to here: nothing further was checked"
            self._found.add(Diagnostic(fault.location, str(Code.TOO_MANY_FAULTS), message, "mend these first"))
            self.raise_if_any()

    def extend(self, error: ManifestError) -> None:
        """Note the faults of another reading. Raises like `add`."""
        for fault in error.diagnostics:
            self._note(fault)

    def any(self) -> bool:
        """Whether anything was found so far."""
        return bool(self._found)

    def raise_if_any(self) -> None:
        """Raise ManifestError with everything found, sorted by place."""
        if self._found:
            raise ManifestError(sorted(self._found))


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint for a misspelt word: the nearest known one, else all of them; empty when there are none or very many."""
    if not 0 < len(known) <= MOST_NAMES:
        return ""
    names = sorted(known)
    near = similar(word, names)
    if near is not None:
        return f"did you mean {near}?"
    return f"one of: {cut(', '.join(names), LONGEST_LIST)}"


def quote_hint(text: str) -> str:
    """The advice to quote what is written without quotes, spelt out where that is short."""
    if len(text) > LONGEST_SHOWN or not text.isprintable() or '"' in text or "\\" in text:
        return "quote it"
    return f'quote it: "{text}"'
