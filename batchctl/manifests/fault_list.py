"""Collects errors, so that batchctl reports all of them at once, and words suggestions.

It does not decide what is an error.
"""

from __future__ import annotations

from collections.abc import Collection

from batchctl.manifests.fault_codes import Code
from batchctl.model.desired import Diagnostic, Location
from batchctl.model.errors import ManifestError
from batchctl.model.quoting import LONGEST_SHOWN, cut
from batchctl.model.suggest import similar

MOST_FAULTS = 500
"""Errors in one report. More do not help, and a file of another kind can have a million."""
MOST_NAMES = 200
"""Names to compare for a suggestion."""
LONGEST_LIST = 200
"""Characters of known names in a hint."""
LONGEST_PATH = 200
"""Characters of a path in a message: more than of other texts, because a cut path is useless."""


class Faults:
    """The errors and warnings of one reading. The same error found twice, as in the stack's defaults, counts once."""

    def __init__(self) -> None:
        self._found: set[Diagnostic] = set()
        self._warnings: set[Diagnostic] = set()

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings, sorted by place. They do not stop anything."""
        return tuple(sorted(self._warnings))

    def warn(self, location: Location, code: Code, message: str, hint: str = "") -> None:
        """Add a warning. Warnings beyond `MOST_FAULTS` are dropped: they repeat the others."""
        if len(self._warnings) < MOST_FAULTS:
            self._warnings.add(Diagnostic(location, str(code), message, hint))

    def add(self, location: Location, code: Code, message: str, hint: str = "") -> None:
        """Add an error. Raises ManifestError at `MOST_FAULTS` errors."""
        self._note(Diagnostic(location, str(code), message, hint))

    def _note(self, fault: Diagnostic) -> None:
        self._found.add(fault)
        if len(self._found) >= MOST_FAULTS:
            message = f"{MOST_FAULTS} errors found up to here; batchctl stopped checking"
            self._found.add(Diagnostic(fault.location, str(Code.TOO_MANY_FAULTS), message, "fix these first"))
            self.raise_if_any()

    def extend(self, error: ManifestError) -> None:
        """Add the errors of another reading. Raises like `add`."""
        for fault in error.diagnostics:
            self._note(fault)

    def any(self) -> bool:
        """Whether there are errors."""
        return bool(self._found)

    def raise_if_any(self) -> None:
        """Raise ManifestError with all errors, sorted by place, if there are any."""
        if self._found:
            raise ManifestError(sorted(self._found))


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint for a misspelt word: the most similar known one, else all of them; empty if there are none or too many."""
    if not 0 < len(known) <= MOST_NAMES:
        return ""
    names = sorted(known)
    near = similar(word, names)
    if near is not None:
        return f"did you mean {near}?"
    return f"one of: {cut(', '.join(names), LONGEST_LIST)}"


def quote_hint(text: str) -> str:
    """The hint to quote a value, with the quoted text if that is short."""
    if len(text) > LONGEST_SHOWN or not text.isprintable() or '"' in text or "\\" in text:
        return "quote it"
    return f'quote it: "{text}"'
