"""Whether a state file lacks the log that its last changes are in.

SQLite takes a file without its `-wal` for whole, though the commits of a killed process may be in that log alone: a
state of some minutes ago, which buys again what was bought since. So each session marks the file itself: the mark that
counts on the log goes into the file, and the one that does not into the log. Whoever folds the log in, SQLite's own
shell included, brings the second one with it; a file that has lost its log keeps the first.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from batchctl.disk.safe_open import open_stream
from batchctl.state.connection import has_content, side_file
from batchctl.state.migrations import transaction
from batchctl.state.sqlite_errors import CORRUPT_HINT, corrupt

_NEEDS_LOG, _IS_WHOLE = 1, 2
_MARK_AT = 60
"""Where SQLite keeps `user_version` in its file, four bytes long."""
_MARK_LENGTH = 4
_MOST_BYTES = 4 * 2**20
"""How long a log grows before it is folded in, in the middle of a session."""
_LOOKS = 3


def count_on_log(db: Database) -> None:
    """Let the file say, from here on, that it is not whole without its log. What is in the log so far is folded in."""
    db.execute("PRAGMA wal_autocheckpoint = 0")
    with transaction(db):
        db.execute(f"PRAGMA user_version = {_NEEDS_LOG}")
    # Passive: readers are not waited for. What they hold back stays in the log, and the file as it was.
    db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    with transaction(db):
        db.execute(f"PRAGMA user_version = {_IS_WHOLE}")


def bound_log(db: Database, path: Path) -> None:
    """Fold a log in that has grown long, or that somebody took away under us: then it has no name any more."""
    log = _log_of(path)
    if not log.exists() or log.stat().st_size > _MOST_BYTES:
        count_on_log(db)


def refuse_lost_log(path: Path) -> None:
    """Raise StateError (`StateCorrupt`) where the file says that it needs its log, and there is none."""
    for _ in range(_LOOKS):
        # A session that ends between the two looks has folded its log in: the next look sees that.
        if not _needs_log(path) or has_content(_log_of(path)):
            return
    problem = corrupt(path, f"its log {_log_of(path).name} is missing, and the changes of its last run are in that")
    problem.hint = f"put the log back beside it, if it was left behind by a copy; else {CORRUPT_HINT}"
    raise problem


def _needs_log(path: Path) -> bool:
    with open_stream(path) as stream:
        stream.seek(_MARK_AT)
        return stream.read(_MARK_LENGTH) == _NEEDS_LOG.to_bytes(_MARK_LENGTH, "big")


def _log_of(path: Path) -> Path:
    """Where SQLite keeps the log: beside the file that a link leads to."""
    return side_file(path.resolve(), "-wal")
