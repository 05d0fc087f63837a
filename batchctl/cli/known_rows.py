"""Files of rows, read again only where they changed: a command reads its manifests at its start and under the lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.desired import LINE_BYTES, Json, Kind, RequestRow
from batchctl.model.ports import RowRules, RowsSummary
from batchctl.model.request.problems import Problem
from batchctl.rows.reader import RowFiles

_Signature = tuple[int, int, int, int, int]
_Reading = tuple[Path, Kind, int, str]
"""A file, and what it is read as and checked against."""


class KnownRows:
    """A RowReader that reads a file of rows again only when it has changed."""

    def __init__(self, activity: Activity = UNWATCHED) -> None:
        self._files = RowFiles(activity)
        self._known: dict[_Reading, tuple[_Signature, RowsSummary]] = {}
        self._used: set[_Reading] = set()

    def begin(self) -> None:
        """A reading of all manifests begins. What the one before did not use is forgotten."""
        self._known = {key: found for key, found in self._known.items() if key in self._used}
        self._used = set()

    def fingerprint(
        self, path: Path, kind: Kind, line_bytes: int = LINE_BYTES, rules: RowRules | None = None
    ) -> RowsSummary:
        key, signature = (path, kind, line_bytes, repr(rules)), _signature(path)
        self._used.add(key)
        if key in self._known and self._known[key][0] == signature:
            return self._known[key][1]
        self._known.pop(key, None)
        summary = self._files.fingerprint(path, kind, line_bytes, rules)
        # What changed while it was read is read again the next time.
        if signature is not None and _signature(path) == signature:
            self._known[key] = (signature, summary)
        return summary

    def parse(self, value: Json, kind: Kind) -> RequestRow:
        return self._files.parse(value, kind)

    def check(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> Iterator[tuple[int, Problem]]:
        return self._files.check(rows, kind, rules)

    def output_tokens(self, rows: Sequence[RequestRow], kind: Kind, rules: RowRules) -> int:
        return self._files.output_tokens(rows, kind, rules)


def _signature(path: Path) -> _Signature | None:
    """What changes with a file's content; None where there is nothing to look at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
