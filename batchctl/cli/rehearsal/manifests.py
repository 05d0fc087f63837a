"""The manifests of a rehearsal: the user's own, with the state and the results of one run.

Only rows of chains can change during a run: they are made from answers. So the manifests are read once, and again only
when a chain may have other rows.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from batchctl.cli.known_rows import KnownRows
from batchctl.model.chain import Obstacle
from batchctl.model.desired import DesiredStack
from batchctl.model.ports.row_reader import MadeRows, RowsOrder
from batchctl.model.recorded import Recorded
from batchctl.model.stack import SharedPlace

Load = Callable[[KnownRows], DesiredStack]
"""Reads all manifests with this reader of rows."""


class Manifests:
    """Implements `Reload`, for one run after the other."""

    def __init__(self, first: DesiredStack, load: Load, results: Path | None) -> None:
        """`first` are the manifests as they were read; `results` are copied for each run."""
        self._first = first
        self._load = load
        self._results = results
        self._has_chains = any(job.chain is not None for job in first.jobs)
        self._folder = Path()
        self._rows = _RowsOfRun(Path())
        self._now = first
        self._seen: frozenset[str] = frozenset()

    def begin(self, folder: Path) -> DesiredStack:
        """Begin a run in an empty folder."""
        self._folder, self._seen = folder, frozenset()
        results = folder / "results"
        if self._results is not None and self._results.is_dir():
            shutil.copytree(self._results, results, symlinks=True)
        self._rows = _RowsOfRun(results)
        self._now = self._placed(self._load(self._rows) if self._has_chains else self._first)
        return self._now

    def read(self) -> DesiredStack:
        """The manifests as they are in this run."""
        return self._now

    def collected(self, recorded: Recorded) -> None:
        """Read chains again if there are other results than before."""
        seen = frozenset(
            one.results for job in recorded.jobs.values() for one in job.attempts if one.results is not None
        )
        if self._has_chains and seen != self._seen:
            self._rows.begin()
            self._now = self._placed(self._load(self._rows))
        self._seen = seen

    def _placed(self, found: DesiredStack) -> DesiredStack:
        """With the state and the results of the run, one call at a time, and no notifications."""
        stack = replace(
            found.stack,
            state=self._folder / "state.db",
            results=self._folder / "results",
            notify=(),
            limits=replace(found.stack.limits, concurrency=1),
        )
        return replace(found, stack=stack)


class _RowsOfRun(KnownRows):
    """Makes the rows of chains from the results of the run, whatever results the stack file names."""

    def __init__(self, results: Path) -> None:
        super().__init__()
        self._place = results

    def make(
        self, results: Path | SharedPlace, order: RowsOrder, *, afresh: bool = False
    ) -> MadeRows | Obstacle | None:
        del results
        return super().make(self._place, order, afresh=afresh)
