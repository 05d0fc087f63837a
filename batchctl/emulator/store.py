"""The emulator's SQLite file: its tables, its lock, small values and blobs.

One connection under one lock serves all threads of a process; other processes wait for SQLite's own lock. The meaning
of jobs, files and faults is defined in their modules.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from batchctl.disk.private_files import create_empty, make_folder
from batchctl.disk.safe_open import UnsafeFile, is_there, require_regular

_FORMAT = 2
_PIECE = 1024 * 1024
"""The size of a row of `pieces` in bytes: a reader of a large file keeps one row at a time in memory."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE counters (method TEXT PRIMARY KEY, calls INTEGER NOT NULL);
CREATE TABLE faults (position INTEGER PRIMARY KEY, fault TEXT NOT NULL, remaining INTEGER, draws INTEGER NOT NULL);
CREATE TABLE pieces (blob TEXT NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (blob, seq));
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, api TEXT NOT NULL, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  model TEXT NOT NULL, display_name TEXT, labels TEXT NOT NULL, priority TEXT, input_file TEXT,
  input_blob TEXT NOT NULL, results_blob TEXT, request_count INTEGER NOT NULL, failed_count INTEGER NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, course TEXT NOT NULL, cancelled INTEGER, served INTEGER,
  served_failed INTEGER, deleted INTEGER, parent TEXT NOT NULL, short TEXT NOT NULL, body TEXT NOT NULL,
  asked INTEGER, due INTEGER, output TEXT NOT NULL);
CREATE INDEX jobs_newest ON jobs (api, parent, created, seq);
CREATE INDEX jobs_short ON jobs (api, parent, short);
CREATE INDEX jobs_due ON jobs (due, seq) WHERE due IS NOT NULL;
CREATE TABLE operations (
  parent TEXT NOT NULL, short TEXT NOT NULL, created INTEGER NOT NULL, done INTEGER NOT NULL,
  PRIMARY KEY (parent, short));
CREATE TABLE multimodal (parent TEXT NOT NULL, short TEXT NOT NULL, uris TEXT NOT NULL, PRIMARY KEY (parent, short));
CREATE TABLE files (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, blob TEXT NOT NULL, display_name TEXT,
  mime_type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, created INTEGER NOT NULL,
  expires INTEGER NOT NULL);
CREATE TABLE uploads (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, display_name TEXT, mime_type TEXT NOT NULL, declared INTEGER,
  received INTEGER NOT NULL, final INTEGER NOT NULL);
CREATE TABLE buckets (
  name TEXT PRIMARY KEY, project TEXT NOT NULL, location TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE objects (
  bucket TEXT NOT NULL, name TEXT NOT NULL, blob TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,
  generation INTEGER NOT NULL, metageneration INTEGER NOT NULL, md5 TEXT NOT NULL, crc32c TEXT NOT NULL,
  content_type TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, more TEXT NOT NULL,
  PRIMARY KEY (bucket, name));
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, target TEXT NOT NULL, declared INTEGER, received INTEGER NOT NULL, reply TEXT);
CREATE TABLE datasets (
  project TEXT NOT NULL, dataset TEXT NOT NULL, location TEXT NOT NULL, created INTEGER NOT NULL,
  PRIMARY KEY (project, dataset));
CREATE TABLE tables (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, dataset TEXT NOT NULL, name TEXT NOT NULL,
  schema TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, more TEXT NOT NULL,
  UNIQUE (project, dataset, name));
CREATE TABLE table_rows (
  table_seq INTEGER NOT NULL, position INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (table_seq, position));
CREATE TABLE load_jobs (
  project TEXT NOT NULL, id TEXT NOT NULL, resource TEXT NOT NULL, PRIMARY KEY (project, id));
"""
_LATER_TABLES = """
CREATE TABLE IF NOT EXISTS sent_rows (job INTEGER PRIMARY KEY, count INTEGER NOT NULL, hashes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS row_outcomes (
  job INTEGER NOT NULL, position INTEGER NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (job, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS row_tries (api TEXT NOT NULL, prompt BLOB NOT NULL, tries INTEGER NOT NULL,
  PRIMARY KEY (api, prompt)) WITHOUT ROWID;
"""
"""Tables that a store of an earlier release lacks; they are created when it is opened."""
_EMPTIED: tuple[str, ...] = ("meta", "counters", "faults", "pieces", "jobs", "files", "uploads")
_EMPTIED += ("operations", "multimodal", "sent_rows", "row_outcomes", "row_tries")
_EMPTIED += ("buckets", "objects", "sessions", "datasets", "tables", "table_rows", "load_jobs")


_WAY_OUT = "delete it to start with an empty store"


class StoreUnusable(ValueError):
    """The file is not an emulator store, or has another format; the text says what to do."""


def _connect(path: Path) -> sqlite3.Connection:
    # SQLite opens these by name, and the file may be in a checkout.
    require_regular(*(path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")))
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)


def _create(path: Path) -> None:
    """Create an empty store. The file appears under its name only when it is complete, even with several creators.

    If two processes opened the same new file, both would switch it to WAL, and SQLite would fail the second one
    immediately, without its time-out.
    """
    with tempfile.TemporaryDirectory(prefix=".emulator-", dir=path.parent) as folder:
        new = Path(folder) / path.name
        create_empty(new)  # private; SQLite gives the files beside it the same mode
        with closing(_connect(new)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN")
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={_FORMAT}")
            db.execute("COMMIT")
        with suppress(FileExistsError):  # another process was faster: use its store
            path.hardlink_to(new)


class Store:
    """The open file. `real_time` returns nanoseconds since 1970; the emulator's clock adds its stored offset."""

    def __init__(self, path: Path, real_time: Callable[[], int]) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._real_time = real_time
        try:
            make_folder(path.parent)
            if not is_there(path):
                _create(path)
            self._db = _connect(path)
        except UnsafeFile as error:
            raise StoreUnusable(f"cannot open the emulator's store: {error.words}; remove it") from error
        except (sqlite3.OperationalError, OSError) as error:
            raise StoreUnusable(f"{path} cannot be opened: {error}") from error
        try:
            self._check(path)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise StoreUnusable(f"{path} cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StoreUnusable(f"{path} is not an emulator store ({error}); {_WAY_OUT}") from error
        except StoreUnusable:
            self._db.close()
            raise

    def _check(self, path: Path) -> None:
        self._db.execute("PRAGMA synchronous=NORMAL")
        with self.transaction():  # an unwritable file is detected here, not by the first caller
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found != _FORMAT:
            raise StoreUnusable(f"{path} has format {found}, not {_FORMAT}; {_WAY_OUT}")
        # A file from a checkout could contain statements that SQLite would run.
        if self._db.execute("SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone():
            raise StoreUnusable(f"{path} contains a trigger or view; {_WAY_OUT}")
        with self.transaction():
            for statement in _LATER_TABLES.split(";\n"):
                self._db.execute(statement)

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is one commit, and no other process writes during it. A nested one joins the outer."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def change(self, sql: str, *values: object) -> int:
        """Run one writing statement; returns the number of rows that it changed."""
        with self.transaction():
            return self._db.execute(sql, values).rowcount

    def change_all(self, sql: str, values: Iterable[tuple[object, ...]]) -> None:
        """Run one writing statement for each tuple of values."""
        with self.transaction():
            self._db.executemany(sql, values)

    def function(self, name: str, count: int, function: Callable[..., str]) -> None:
        """Register `function`, with `count` parameters, as a function in SQL under this name."""
        with self._lock:
            self._db.create_function(name, count, function, deterministic=True)

    def insert(self, table: str, values: Mapping[str, object]) -> None:
        """Add one row. `table` and the keys are constants of the program, never text from a caller."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self.change(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())  # noqa: S608  constants

    def meta(self, key: str) -> Any:  # noqa: ANN401  any JSON
        """The stored JSON value; None if there is none."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", key)
        return json.loads(found[0][0]) if found else None

    def put_meta(self, key: str, value: object) -> None:
        """Store a JSON value under a name."""
        self.change("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, json.dumps(value))

    def now(self) -> int:
        """The emulator's clock, in nanoseconds since 1970."""
        return self._real_time() + int(self.meta("clockOffset") or 0)

    def empty(self) -> None:
        """Delete everything: jobs, files, clock, rules, faults, counters."""
        with self.transaction():
            for table in _EMPTIED:
                self.change(f"DELETE FROM {table}")  # noqa: S608  constants

    def append(self, blob: str, data: Iterable[bytes]) -> int:
        """Append bytes to a blob, which is created if it does not exist; returns how many bytes were added."""
        with self.transaction():
            seq = self.rows("SELECT count(*) FROM pieces WHERE blob = ?", blob)[0][0]
            added = 0
            for part in data:
                for start in range(0, len(part), _PIECE):
                    piece = part[start : start + _PIECE]
                    self.change("INSERT INTO pieces (blob, seq, data) VALUES (?, ?, ?)", blob, seq, piece)
                    seq += 1
                    added += len(piece)
            return added

    def read(self, blob: str, start: int = 0) -> Iterator[bytes]:
        """The bytes of a blob from the offset `start` on, a piece at a time; the lock is free between pieces."""
        seq, skipped = self._piece(blob, start) if start else (0, 0)
        while found := self.rows("SELECT data FROM pieces WHERE blob = ? AND seq = ?", blob, seq):
            yield found[0][0][skipped:]
            seq, skipped = seq + 1, 0

    def _piece(self, blob: str, offset: int) -> tuple[int, int]:
        """The number of the piece with the byte at `offset`, and the offset in that piece."""
        before = 0
        for seq, size in self.rows("SELECT seq, length(data) FROM pieces WHERE blob = ? ORDER BY seq", blob):
            if offset < before + size:
                return seq, offset - before
            before += size
        raise ValueError(f"the blob has {before} bytes")

    def drop_unused(self, blob: str) -> None:
        """Delete a blob's bytes unless a file, an object or a job still needs them."""
        self.change(
            "DELETE FROM pieces WHERE blob = ?1 AND NOT EXISTS (SELECT 1 FROM files WHERE blob = ?1)"
            " AND NOT EXISTS (SELECT 1 FROM objects WHERE blob = ?1) AND NOT EXISTS"
            " (SELECT 1 FROM jobs WHERE deleted IS NULL AND (input_blob = ?1 OR results_blob = ?1))",
            blob,
        )
