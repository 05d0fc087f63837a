"""The state while this process holds its lock.

Owns the commit: one transaction, conditional on the epoch that was drawn with the lock. A session that lost its lock
to another process, or whose file was moved away under it, can write nothing any more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

from sqlite_utils import Database

from batchctl.model.ports import Clock
from batchctl.model.recorded import AddEvent, Recorded, Write
from batchctl.state.connection import back_up, connect_writer, side_file
from batchctl.state.lockfile import LockFile
from batchctl.state.log import bound_log, count_on_log
from batchctl.state.migrations import transaction
from batchctl.state.snapshot import read_recorded
from batchctl.state.sqlite_errors import lock_lost, state_errors
from batchctl.state.whole_state import Content, put_content
from batchctl.state.writes import apply_write, explain_rows, prune_events


class FileSession(AbstractContextManager["FileSession"]):
    """Implements StateSession over an open, migrated file. Leaving it gives the lock back."""

    def __init__(self, path: Path, db: Database, lock: LockFile, who: str, clock: Clock) -> None:
        self._path = path
        self._db = db
        self._lock = lock
        self._who = who
        self._clock = clock
        self._file = path.lstat()
        self._epoch = draw_epoch(db)
        count_on_log(db)

    def load(self) -> Recorded:
        with state_errors(self._path):
            self._db.execute("BEGIN")
            try:
                return read_recorded(self._db, self._path)
            finally:
                self._db.rollback()

    def commit(self, writes: Sequence[Write]) -> None:
        with self._writing():
            explained = [*writes, *explain_rows(self._db, writes, self._clock.now())]
            for write in explained:
                apply_write(self._db, write, self._who)
            if any(isinstance(write, AddEvent) for write in explained):
                prune_events(self._db)
            self._db.execute("UPDATE meta SET serial = serial + 1")
        with state_errors(self._path):
            bound_log(self._db, self._path)

    def replace_content(self, content: Content, carried: Sequence[Write] = ()) -> Path:
        """Put a file's whole content in the place of ours, in one transaction; gives the backup that was made before.

        `carried` is what of ours is kept, on top of it. Lineage and serial come with the content; the epoch is the
        file's own, for it guards this very file.
        """
        backup = side_file(self._path, f".backup-{self._clock.now():%Y%m%dT%H%M%SZ}")
        with state_errors(self._path):
            self._require_lock()
            back_up(self._db, backup)
        with self._writing():
            put_content(self._db, content)
            for write in carried:
                apply_write(self._db, write, self._who)
        return backup

    def check(self) -> None:
        with state_errors(self._path):
            self._require_lock()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The connection first: closing it folds the log into the file, which is writing.
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
            raise lock_lost(self._path, "the file was moved away or replaced")
        epoch = self._db.execute("SELECT epoch FROM meta").fetchone()[0]
        if epoch != self._epoch:
            raise lock_lost(self._path, f"another process took it (epoch {epoch}, ours was {self._epoch})")


def draw_epoch(db: Database) -> int:
    """Make every earlier session of this file powerless, and give the number of the new one."""
    with transaction(db):
        db.execute("UPDATE meta SET epoch = epoch + 1")
        epoch: int = db.execute("SELECT epoch FROM meta").fetchone()[0]
    return epoch


def break_sessions(path: Path) -> None:
    """Make every session of the file powerless, without a lock. Raises sqlite3.Error and OSError."""
    db = connect_writer(path)
    try:
        draw_epoch(db)
    finally:
        db.close()
