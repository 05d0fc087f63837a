"""The state file of a small world: what one process knows and writes, and when it may."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.recorded import JobRow, RecordedJob
from batchctl.reconcile import ghosts_of
from tests.search.state import Store, Working
from tests.search.values import LOCAL, frozen_attempt, frozen_row


class LockLost(Exception):
    """Another process has taken the lock over."""


class Journal:
    """The record as one process changes it, see `batchctl.engine`'s own."""

    def __init__(self, working: Working, epoch: int) -> None:
        self._working = working
        self._epoch = epoch
        store = working.store
        self.rows = {row.name: row for row in store.rows}
        self.attempts = {attempt.key: attempt for attempt in store.attempts}
        self.ghosts = {(ghost.account, ghost.remote): ghost for ghost in store.ghosts}
        self._is_dirty = False

    @property
    def is_stale(self) -> bool:
        return self._working.store.epoch != self._epoch

    def note_row(self, row: JobRow) -> None:
        self.rows[row.name] = frozen_row(row)
        self._is_dirty = True

    def note(self, attempt: RecordedAttempt) -> RecordedAttempt:
        before = self.attempts.get(attempt.key)
        if before is not None and before.remote != attempt.remote:
            self._remember(before)
        self.attempts[attempt.key] = attempt = frozen_attempt(attempt)
        self._is_dirty = True
        return attempt

    def forget(self, name: str) -> None:
        self.rows.pop(name, None)
        for key in [key for key in self.attempts if key.job == name]:
            self._remember(self.attempts.pop(key))
        self._is_dirty = True

    def rename(self, jobs: Mapping[str, RecordedJob]) -> None:
        """Take over what renames make of the whole record."""
        self.rows = {name: frozen_row(job.row) for name, job in jobs.items()}
        found = [frozen_attempt(one) for job in jobs.values() for one in job.attempts]
        self.attempts = {one.key: one for one in found}
        self._is_dirty = True

    def commit(self) -> None:
        """Compare and set: nothing is written once another process has the lock."""
        if self._is_dirty:
            self.check()
            self._is_dirty = False
            self._working.store = self.store

    def check(self) -> None:
        if self.is_stale:
            raise LockLost

    @property
    def store(self) -> Store:
        return Store(
            tuple(self.rows[name] for name in sorted(self.rows)),
            tuple(self.attempts[key] for key in sorted(self.attempts)),
            tuple(self.ghosts[place] for place in sorted(self.ghosts)),
            is_new=False,
            epoch=self._epoch,
        )

    def _remember(self, attempt: RecordedAttempt) -> None:
        for ghost in ghosts_of([attempt], LOCAL):
            self.ghosts[ghost.account, ghost.remote] = ghost


@lru_cache(maxsize=100_000)
def jobs_of(store: Store) -> Mapping[str, RecordedJob]:
    """The record in the form that `plan` takes."""
    return {
        row.name: RecordedJob(row, tuple(one for one in store.attempts if one.key.job == row.name))
        for row in store.rows
    }
