"""The state while this process holds its lock.

A commit is one transaction that requires the epoch of this session. After another process took the lock, or after the
file was moved, the session can no longer write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

from batchctl.model.desired import DesiredJob
from batchctl.model.ports.surroundings import Clock
from batchctl.model.recorded import Recorded
from batchctl.model.writes import AddEvent, Write
from batchctl.state.connection import back_up, connect_writer, side_file
from batchctl.state.database import Database
from batchctl.state.lockfile import LockFile
from batchctl.state.log import bound_log, require_log
from batchctl.state.migrations import transaction
from batchctl.state.snapshot import read_recorded
from batchctl.state.sqlite_errors import lock_lost, state_errors
from batchctl.state.whole_state import Content, put_content
from batchctl.state.writes import apply_writes, explain_rows, prune_events


class FileSession(AbstractContextManager["FileSession"]):
    """Implements StateSession over an open, migrated file. Leaving it releases the lock."""

    def __init__(self, path: Path, db: Database, lock: LockFile, who: str, clock: Clock) -> None:
        self._path = path
        self._db = db
        self._lock = lock
        self._who = who
        self._clock = clock
        self._file = path.lstat()
        self._epoch = draw_epoch(db)
        require_log(db)

    @property
    def database(self) -> Database:
        """The connection of this session."""
        return self._db

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        with state_errors(self._path):
            self._db.execute("BEGIN")
            try:
                return read_recorded(self._db, self._path, like)
            finally:
                self._db.rollback()

    def commit(self, writes: Sequence[Write]) -> None:
        with self._writing():
            explained = [*writes, *explain_rows(self._db, writes, self._clock.now())]
            apply_writes(self._db, explained, self._who)
            if any(isinstance(write, AddEvent) for write in explained):
                prune_events(self._db)
            self._db.execute("UPDATE meta SET serial = serial + 1")
        with state_errors(self._path):
            bound_log(self._db, self._path)

    def replace_content(self, content: Content, kept: Sequence[Write] = ()) -> Path:
        """Replace the complete content in one transaction; returns the backup that was made before.

        `kept` are changes of the present state that are applied to the new content. Lineage and serial come with the
        content. The epoch stays, because it protects this file.
        """
        backup = side_file(self._path, f".backup-{self._clock.now():%Y%m%dT%H%M%SZ}")
        with state_errors(self._path):
            self._require_lock()
            back_up(self._db, backup)
        with self._writing():
            put_content(self._db, content)
            apply_writes(self._db, kept, self._who)
        return backup

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the present content to a new file. Raises StateError."""
        with state_errors(target):
            back_up(self._db, target)

    def check(self) -> None:
        with state_errors(self._path):
            self._require_lock()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The connection first: closing it runs a checkpoint, which writes.
        try:
            with state_errors(self._path):
                self._db.close()
        finally:
            self._lock.release()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with state_errors(self._path), transaction(self._db):
            self._require_lock()
            yield

    def _require_lock(self) -> None:
        try:
            same = os.path.samestat(self._file, self._path.lstat())
        except FileNotFoundError:
            same = False
        if not same:
            raise lock_lost(self._path, "the file was moved or replaced")
        epoch = self._db.execute("SELECT epoch FROM meta").fetchone()[0]
        if epoch != self._epoch:
            raise lock_lost(self._path, f"another process took it (epoch {epoch}, ours was {self._epoch})")


def draw_epoch(db: Database) -> int:
    """Invalidate every earlier session of this file, and return the epoch of the new one."""
    with transaction(db):
        db.execute("UPDATE meta SET epoch = epoch + 1")
        epoch: int = db.execute("SELECT epoch FROM meta").fetchone()[0]
    return epoch


def break_sessions(path: Path) -> None:
    """Invalidate every session of the file, without a lock. Raises sqlite3.Error and OSError."""
    db = connect_writer(path)
    try:
        draw_epoch(db)
    finally:
        db.close()
