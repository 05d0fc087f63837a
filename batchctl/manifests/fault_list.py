"""Collects errors, so that batchctl reports all of them at once, and words suggestions.

It does not decide what is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.manifests.fault_codes import Code
from batchctl.model import suggest
from batchctl.model.errors import ManifestError
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.quoting import LONGEST_SHOWN, cut

MOST_FAULTS = 500
"""Errors in one report. More do not help, and a file of another kind can have a million."""
MOST_NAMES = 200
"""Names to compare for a suggestion."""
LONGEST_LIST = 200
"""Characters of known names in a hint."""
SENSITIVE = "(sensitive)"
"""In place of the value of a sensitive variable."""
LEAST_HIDDEN = 4
"""Characters of a value that is hidden: a shorter one is no secret, and is a part of many words."""
LONGEST_PATH = 200
"""Characters of a path in a message: more than of other texts, because a cut path is useless."""


_ALL_COUNT = (
    "batchctl reads all manifests of the stack, also those outside -f: a manifest that it cannot read would look like a"
    " removed job"
)


class FileFaults(Struct):
    """The faults of one file, in whatever place: all of its warnings, and whether it has errors."""

    warnings: list[Diagnostic] = field(default_factory=list)
    is_sound: bool = True


class Faults:
    """The errors and warnings of one reading. The same error found twice, as in the stack's defaults, counts once."""

    def __init__(self, is_asked: Callable[[str], bool] | None = None, *, only_asked: bool = False) -> None:
        """`is_asked` tells whether a manifest is inside `-f`, by its path; `only_asked` drops all that is outside."""
        self._found: set[Diagnostic] = set()
        self._warnings: set[Diagnostic] = set()
        self._outside: set[Diagnostic] = set()
        self._is_asked = is_asked
        self._only_asked = only_asked
        self._hidden: list[str] = []
        self._manifest: str | None = None
        self._file = FileFaults()
        self._cell: tuple[str, int] | None = None
        self._cells: dict[Diagnostic, tuple[list[str], int]] = {}
        """Of errors in jobs of a matrix: the axis values of these jobs, and the number of all its jobs."""
        self._manifests: dict[str, str] = {}
        """The paths of the manifests by the names of their files in messages."""
        self._unreadable: set[Location] = set()

    @property
    def outside(self) -> int:
        """The number of errors outside `-f`, up to `MOST_FAULTS`."""
        return len(self._outside)

    @contextmanager
    def of_manifest(
        self, path: str, shown: str, file: FileFaults | None = None, cell: tuple[str, int] | None = None
    ) -> Iterator[None]:
        """While a manifest is read: all errors belong to it, wherever their place is, as in a file of rows.

        They are noted in `file`, too. `cell` are the axis values of a job of a matrix, and the number of its jobs.
        """
        self._manifests[shown] = path
        self._manifest = path
        self._file = FileFaults() if file is None else file
        self._cell = cell
        try:
            yield
        finally:
            self._manifest, self._file, self._cell = None, FileFaults(), None

    def repeat(self, path: str, shown: str, warnings: Sequence[Diagnostic]) -> None:
        """Add the warnings of a manifest that were found at another time."""
        self._manifests[shown] = path
        if warnings:
            with self.of_manifest(path, shown):
                for warning in warnings:
                    self._warn(warning)

    def _is_outside(self, location: Location) -> bool:
        path = self._manifests.get(location.file) if self._manifest is None else self._manifest
        return self._is_asked is not None and path is not None and not self._is_asked(path)

    def hide(self, texts: Collection[str]) -> None:
        """Replace these texts in all later messages: values of sensitive variables."""
        forms = {
            form for text in texts if len(text) >= LEAST_HIDDEN for form in (text, cut(text), cut(text, LONGEST_PATH))
        }
        # The longest first: one may be a part of another.
        self._hidden = sorted(forms.union(self._hidden), key=len, reverse=True)

    def _public(self, text: str) -> str:
        for hidden in self._hidden:
            text = text.replace(hidden, SENSITIVE)
        return text

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings, sorted by place. They do not stop anything."""
        return tuple(sorted(self._warnings))

    def warn(self, location: Location, code: Code, message: str, hint: str = "") -> None:
        """Add a warning. Warnings beyond `MOST_FAULTS` are dropped: they repeat the others."""
        self._warn(Diagnostic(location, str(code), self._public(message), self._public(hint)))

    def _warn(self, warning: Diagnostic) -> None:
        self._file.warnings.append(warning)
        if self._only_asked and self._is_outside(warning.location):
            return
        if len(self._warnings) < MOST_FAULTS:
            self._warnings.add(warning)

    def add(
        self, location: Location, code: Code, message: str, hint: str = "", *, other: Location | None = None
    ) -> None:
        """Add an error; `other` is a second place that it is about. Raises ManifestError at `MOST_FAULTS` errors."""
        if code is Code.WRONG_TYPE and location in self._unreadable:
            return
        fault = Diagnostic(location, str(code), self._public(message), self._public(hint))
        self._file.is_sound = False
        if self._cell is not None:
            values, jobs = self._cell
            self._cells.setdefault(fault, ([], jobs))[0].append(values)
        if self._is_outside(location) and (other is None or self._is_outside(other)):
            if len(self._outside) < MOST_FAULTS:
                self._outside.add(fault)
            if self._only_asked:
                return
        self._note(fault)

    def add_unreadable(self, location: Location, message: str, hint: str) -> None:
        """Add the error of a value that cannot be read: that it has the wrong type then is no second error."""
        self._unreadable.add(location)
        self.add(location, Code.INVALID_VALUE, message, hint)

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

    def any_at(self, location: Location) -> bool:
        """Whether there is an error at a place."""
        return any(fault.location == location for fault in self._found | self._outside)

    def raise_if_any(self) -> None:
        """Raise ManifestError with all errors, sorted by place, if there are any."""
        if not self._found:
            return
        hint = _ALL_COUNT if self._outside and not self._only_asked else ""
        outside = self.outside if self._only_asked else 0
        found = sorted(self._with_cells(fault) for fault in self._found)
        raise ManifestError(found, warnings=self.warnings, outside=outside, hint=hint)

    def _with_cells(self, fault: Diagnostic) -> Diagnostic:
        """An error with the axis values of the jobs that have it."""
        if fault not in self._cells:
            return fault
        values, jobs = self._cells[fault]
        first, number = values[0], len(set(values))
        where = f"with {first}" if number == 1 else f"in {number} of {jobs} jobs of the matrix, such as {first}"
        if number == jobs:
            where = f"in all {jobs} jobs of the matrix" if jobs > 1 else f"with {first}"
        return replace(fault, message=f"{fault.message}, {where}")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint for a misspelt word: the most similar known one, else all of them; empty if there are none or too many."""
    if not 0 < len(known) <= MOST_NAMES:
        return ""
    names = sorted(known)
    return suggest.did_you_mean(word, names, f"one of: {cut(', '.join(names), LONGEST_LIST)}")


def quote_hint(text: str) -> str:
    """The hint to quote a value, with the quoted text if that is short."""
    if len(text) > LONGEST_SHOWN or not text.isprintable() or '"' in text or "\\" in text:
        return "quote it"
    return f'quote it: "{text}"'
