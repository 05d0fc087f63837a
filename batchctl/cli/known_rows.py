"""Caches files of rows, for the readings of one command (at its start, and under the lock) and for later commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.chain import Obstacle
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.ports.row_reader import MadeRows, OutputLimit, RowRules, RowsForm, RowsOrder, RowsSummary
from batchctl.model.request.problems import Problem
from batchctl.model.sources import RequestRow
from batchctl.model.stack import LINE_BYTES, SharedPlace
from batchctl.rows.local_place import open_local
from batchctl.rows.reader import RowFiles

if TYPE_CHECKING:  # protocols are for type checkers
    from batchctl.rows.checked_files import CheckedFiles
    from batchctl.rows.place import OpenPlace

_Signature = tuple[int, int, int, int, int]
_Reading = tuple[Path, Kind, int, str]
"""A file, and the parameters of its reading."""


class KnownRows:
    """Implements `RowReader`. Reads a file again only if it has changed."""

    def __init__(
        self,
        activity: Activity = UNWATCHED,
        cache: Path | None = None,
        open_place: OpenPlace = open_local,
        *,
        sends_rows: bool = False,
    ) -> None:
        """`cache`: the folder with the summaries of files that other commands read.

        `sends_rows`: see `RowFiles`.
        """
        self._files = RowFiles(
            activity, keeps_made_rows=False, cache=cache, open_place=open_place, sends_rows=sends_rows
        )
        self._known: dict[_Reading, tuple[_Signature, RowsSummary]] = {}
        self._used: set[_Reading] = set()
        self._has_made = False
        """Whether this reading has made rows of results."""

    @property
    def checked(self) -> CheckedFiles | None:
        """See `RowFiles`."""
        return self._files.checked

    def begin(self) -> None:
        """Start a reading of all manifests for a pass. Files that the previous one did not use are dropped."""
        self._files.keep_made_rows()
        self._known = {key: found for key, found in self._known.items() if key in self._used}
        self._used = set()
        self._has_made = False

    def are_same(self) -> bool:
        """Whether this reading would find the same rows again, as far as the sizes and times of files tell.

        False if it has made rows of results: those of another job may have come.
        """
        read = (key in self._known and self._known[key][0] == _signature(key[0]) for key in self._used)
        return not self._has_made and all(read)

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        key, signature = (path, kind, line_bytes, repr(rules)), _signature(path)
        self._used.add(key)
        if key in self._known and self._known[key][0] == signature:
            return self._known[key][1]
        self._known.pop(key, None)
        summary = self._files.fingerprint(path, kind, line_bytes, rules)
        # A file that changed during the reading is read again next time.
        if signature is not None and _signature(path) == signature:
            self._known[key] = (signature, summary)
        return summary

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        return self._files.parse(value, kind)

    def form(self, rows: Sequence[Json], kind: Kind) -> RowsForm | None:
        return self._files.form(rows, kind)

    def make(
        self, results: Path | SharedPlace, order: RowsOrder, *, afresh: bool = False
    ) -> MadeRows | Obstacle | None:
        self._has_made = True
        return self._files.make(results, order, afresh=afresh)

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        return self._files.check(rows, kind, rules)

    def output_limit(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> OutputLimit:
        return self._files.output_limit(rows, kind, rules)


def _signature(path: Path) -> _Signature | None:
    """A value that changes with the file's content; None if the file cannot be examined."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
