"""Connections to the state file: for writing under the lock, and for reading without it.

Owns pragmas, file modes and the creation of new files. Raises sqlite3.Error and OSError; the callers map them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from batchctl.disk.safe_open import is_there, open_file, require_regular
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError
from batchctl.state.database import Database
from batchctl.state.formats import Migration
from batchctl.state.migrations import Identity, build
from batchctl.state.sqlite_errors import corrupt, lock_lost, primary_code

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""The time that SQLite waits for another program that has the file open, such as a viewer."""

_SNAPSHOT_TRIES = 5


def _connect(path: Path, query: str) -> Database:
    # SQLite opens these by name.
    require_regular(*(side_file(path, suffix) for suffix in ("", "-wal", "-shm", "-journal")))
    # isolation_level=None: transactions begin and end only where this package says so.
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?{query}", uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    return Database(conn)


def side_file(path: Path, suffix: str) -> Path:
    """A file beside the state file, with a suffix to its name."""
    return path.with_name(path.name + suffix)


def has_content(path: Path) -> bool:
    """Whether there is a file that is not empty. Raises UnsafeFile."""
    require_regular(path)
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def refuse_left_over_wal(path: Path) -> None:
    """Raise StateError (`StateCorrupt`) if the state file is missing but its log is not.

    Half of a state was moved away: a new file would forget all jobs, and SQLite would apply the old log to it.
    """
    wal = side_file(path, "-wal")
    # In this order: a new file exists before its log does.
    if has_content(wal) and not is_there(path):
        raise corrupt(path, f"it is missing, but {wal.name} is still there")


def connect_writer(path: Path) -> Database:
    """Open an existing file for writing, every commit durable before it returns."""
    handle = open_file(path)
    try:
        if os.fstat(handle).st_uid == os.geteuid():
            os.fchmod(handle, 0o600)  # also for a restored copy; -wal and -shm take their mode from it
    finally:
        os.close(handle)
    db = _connect(path, "mode=rw")
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves data in the drive's cache
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def create_file(path: Path, migrations: Sequence[Migration], identity: Identity) -> None:
    """Create a state file. It gets its name only when it is complete, so an empty one is always an error."""
    from batchctl.disk.private_files import create_empty, sync_folder

    refuse_left_over_wal(path)
    new = side_file(path, ".new")
    for left_over in (
        new,
        side_file(new, "-wal"),
        side_file(new, "-shm"),
        side_file(path, "-wal"),
        side_file(path, "-shm"),
    ):
        left_over.unlink(missing_ok=True)
    create_empty(new)
    with closing(connect_writer(new)) as db:
        build(db, migrations, identity)
    try:
        new.replace(path)
    except FileNotFoundError as error:
        # A process that broke the lock while this one slept took it for a left-over.
        raise lock_lost(path, "another process created the file again") from error
    sync_folder(path.parent)


def back_up(db: Database, target: Path) -> None:
    """Copy a database by SQLite's backup API, atomically under its name, mode 0600."""
    from batchctl.disk.private_files import create_empty, sync_folder

    part = side_file(target, ".part")
    part.unlink(missing_ok=True)
    create_empty(part)
    with closing(_connect(part, "mode=rw")) as copy:
        db.conn.backup(copy.conn)
    part.replace(target)
    sync_folder(target.parent)


def memory_copy(db: Database) -> Database:
    """A copy in memory, which can be migrated without changing the file."""
    copy = Database(sqlite3.connect(":memory:", isolation_level=None))
    db.conn.backup(copy.conn)
    return copy


def put_aside(path: Path, aside: Path) -> bool:
    """Rename a state file and its log; False if there was neither."""
    found = [suffix for suffix in ("", "-wal", "-shm") if is_there(side_file(path, suffix))]
    for suffix in found:
        side_file(path, suffix).replace(side_file(aside, suffix))
    return bool(found)


def read_snapshot(path: Path, read: Callable[[Database], T]) -> T:
    """Run `read` in one read transaction, without ever writing to the file.

    SQLite reads a file in WAL mode only if its -shm exists or can be created. In a read-only folder, or on a full disk,
    a file without a log is therefore opened as immutable. That is safe only if no process writes at the same time, so
    the file is compared before and after, and read again if it changed.
    """
    for _ in range(_SNAPSHOT_TRIES):
        try:
            return _read_once(path, "mode=ro", read)
        except sqlite3.OperationalError as error:
            if not _needs_immutable(path, error):
                raise
        before = _signature(path)
        found = _read_once(path, "immutable=1", read)
        if _signature(path) == before and not has_content(side_file(path, "-wal")):
            return found
    raise StateError(
        f"the state file {path} changes faster than it can be read", code=ErrorCode.STATE_BUSY, hint="try again"
    )


def _read_once(path: Path, query: str, read: Callable[[Database], T]) -> T:
    with closing(_connect(path, query)) as db:
        db.execute("BEGIN")
        return read(db)


def _needs_immutable(path: Path, error: sqlite3.OperationalError) -> bool:
    no_shm = primary_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
    return no_shm and os.access(path, os.R_OK) and not has_content(side_file(path, "-wal"))


def _signature(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_ino, found.st_size, found.st_mtime_ns
