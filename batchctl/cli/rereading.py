"""The manifests, read again before each pass of `watch --forever`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from batchctl.cli.workspace import Workspace, load_desired
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.desired import LINE_BYTES, DesiredStack, Json, Kind, RequestRow
from batchctl.model.ports import RowRules, RowsSummary
from batchctl.model.request.problems import Problem
from batchctl.rows.reader import RowFiles

_Signature = tuple[int, int, int, int, int]
_Reading = tuple[Path, Kind, int, str]
"""A file, and what it is read as and checked against."""


class Rereader:
    """A Reload. It goes by the names that the user gave, so a checkout that is switched by a link is followed."""

    def __init__(self, workspace: Workspace, filenames: Sequence[str]) -> None:
        self._workspace = workspace
        self._filenames = filenames
        self._folder = _named_folder(workspace.common.chdir)
        self._rows = KnownRows(workspace.board)
        self._is_first = True

    def __call__(self) -> DesiredStack:
        """Raises ManifestError, and OSError when the working folder is gone."""
        if self._is_first:
            self._is_first = False
            return self._workspace.desired
        # The folder of that name, which need not be the one that the process was started in.
        os.chdir(self._folder)
        self._rows.begin()
        return load_desired(self._workspace.common, self._workspace.file, self._filenames, self._rows)


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


def warn_of_links(workspace: Workspace) -> None:
    """Tell where state or results would be left behind if the link that leads to the stack were switched."""
    stack = workspace.stack
    shown = Path(os.path.normpath(Path(_named_folder(workspace.common.chdir)) / workspace.file.parent))
    inside = [str(path) for path in (stack.state, stack.results) if path.is_relative_to(stack.folder)]
    if shown != stack.folder and inside:
        words = (
            f"warning: {shown} is reached through a link. If it is switched to another checkout, this is left behind: "
        )
        click.echo(f"{words}{', '.join(inside)}. Name places outside of it with --state and spec.results.", err=True)


def _named_folder(chdir: str | None) -> str:
    """The working folder by the name under which the user knows it, links and all."""
    named = os.path.normpath(Path(os.environ.get("PWD", "/")) / (chdir or ""))
    return named if os.path.isdir(named) and Path(named).samefile(Path()) else str(Path.cwd())  # noqa: PTH112


def _signature(path: Path) -> _Signature | None:
    """What changes with a file's content; None where there is nothing to look at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
