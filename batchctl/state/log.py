"""Detects a state file that lost its log (`-wal`).

SQLite accepts a file without its log, although the log may contain the last commits of a killed process. Such a state
is some minutes old, and acting on it would buy jobs again. So each session marks the file: "needs its log" is written
into the file itself, and "is complete" into the log. A checkpoint, by batchctl or by SQLite's own shell, copies the
second mark into the file; a file that lost its log keeps the first.
"""

from __future__ import annotations

from pathlib import Path

from batchctl.disk.safe_open import open_stream
from batchctl.state.connection import has_content, side_file
from batchctl.state.database import Database
from batchctl.state.migrations import transaction
from batchctl.state.sqlite_errors import CORRUPT_HINT, corrupt

_NEEDS_LOG, _IS_COMPLETE = 1, 2
_MARK_AT = 60
"""The offset of `user_version` in a SQLite file; it has four bytes."""
_MARK_LENGTH = 4
_MOST_BYTES = 4 * 2**20
"""The size of a log that starts a checkpoint within a session."""
_TRIES = 3


def require_log(db: Database) -> None:
    """Mark the file as needing its log from now on. The present content of the log is copied into the file."""
    db.execute("PRAGMA wal_autocheckpoint = 0")
    with transaction(db):
        db.execute(f"PRAGMA user_version = {_NEEDS_LOG}")
    # Passive: it does not wait for readers. Pages that they use stay in the log.
    db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    with transaction(db):
        db.execute(f"PRAGMA user_version = {_IS_COMPLETE}")


def bound_log(db: Database, path: Path) -> None:
    """Run a checkpoint if the log is long, or was deleted during the session and has no name any more."""
    log = _log_of(path)
    if not log.exists() or log.stat().st_size > _MOST_BYTES:
        require_log(db)


def refuse_lost_log(path: Path) -> None:
    """Raise StateError (`StateCorrupt`) if the file is marked as needing its log, and there is none."""
    for _ in range(_TRIES):
        # A session that ends between the two checks has copied its log: the next try sees that.
        if not _needs_log(path) or has_content(_log_of(path)):
            return
    problem = corrupt(path, f"its log {_log_of(path).name} is missing; it has the changes of the last run")
    problem.hint = f"if a copy left the log behind, put it back beside the file; else {CORRUPT_HINT}"
    raise problem


def _needs_log(path: Path) -> bool:
    with open_stream(path) as stream:
        stream.seek(_MARK_AT)
        return stream.read(_MARK_LENGTH) == _NEEDS_LOG.to_bytes(_MARK_LENGTH, "big")


def _log_of(path: Path) -> Path:
    """The path of the log: beside the file that a link leads to."""
    return side_file(path.resolve(), "-wal")
