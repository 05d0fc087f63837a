"""What can go wrong with a state file, as StateErrors with the way out.

Owns the mapping from SQLite's result codes and from OSError. Nothing of either leaves this room unmapped.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from batchctl.disk.safe_open import UnsafeFile, open_stream
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError
from batchctl.model.exhaustion import RUN_OUT, exhausted

CORRUPT_HINT = (
    "`batchctl state rebuild` rebuilds it from the marks on the stack's jobs and from the results folder,"
    " and keeps the old file aside; or restore a backup"
)

_ROOM = 64 * 1024
"""What SQLite needs at once to go on: its shared memory takes 32 KiB, and a commit some pages."""

_HANDLES = 4
"""Files that SQLite has open at once: the state, its log, its shared memory, a temporary one."""

_LOW_BYTE = 0xFF
"""SQLite keeps the kind of fault in the low byte of its extended result codes."""


def corrupt(path: Path, reason: str) -> StateError:
    """The error for a file whose content is not a sound state."""
    return StateError(f"the state file {path} is corrupt: {reason}", code=ErrorCode.STATE_CORRUPT, hint=CORRUPT_HINT)


def lock_lost(path: Path, reason: str) -> StateError:
    """The error for a session that is no longer the one that may write."""
    return StateError(
        f"the lock on {path} was lost: {reason}",
        code=ErrorCode.LOCK_LOST,
        hint="nothing of this commit was written; run the command again",
    )


def primary_code(error: sqlite3.Error) -> int:
    """The kind of fault, without the finer distinctions that differ between SQLite's versions."""
    # Text that is not UTF-8 is found by the driver, which gives it no code.
    unreadable = sqlite3.SQLITE_ERROR if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_INTERNAL
    code: int = getattr(error, "sqlite_errorcode", unreadable)
    return code & _LOW_BYTE


@contextmanager
def state_errors(path: Path) -> Iterator[None]:
    """Turn sqlite3.Error and OSError into StateError, and text that is none, which only the driver stumbles over."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise corrupt(path, str(error)) from error
    except sqlite3.Error as error:
        raise _from_sqlite(path, error) from error
    except OSError as error:
        raise _from_os(path, error) from error


def _from_sqlite(path: Path, error: sqlite3.Error) -> StateError:
    code = primary_code(error)
    if code in _CORRUPT_CODES:
        return corrupt(path, str(error))
    # SQLite says FULL for its data files alone; where its shared memory or a quota has no room, it says "I/O error".
    if code == sqlite3.SQLITE_IOERR and not _has_room(path.parent):
        return _disk_full(path)
    known = _KNOWN_CODES.get(code)
    return known(path) if known else _failed(path, error)


def _from_os(path: Path, error: OSError) -> StateError:
    if isinstance(error, UnsafeFile):
        return StateError(
            f"the state is not opened: {error.words}",
            code=ErrorCode.STATE_UNSAFE,
            hint="remove it; if it came with a pull request, ask why",
        )
    match error.errno:
        case number if number in _FULL:
            return _disk_full(path)
        case number if number in RUN_OUT:
            return _exhausted(path, error)
        case errno.EROFS:
            return _read_only(path)
        case errno.EACCES | errno.EPERM:
            return _not_permitted(path)
        case _:
            return _failed(path, error)


def _has_room(folder: Path) -> bool:
    """Whether a little can be written there. Tried, because free blocks say nothing of quotas; no trace is left."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as stream:
            stream.write(bytes(_ROOM))
            os.fsync(stream.fileno())
    except OSError as error:
        return error.errno not in _FULL
    return True


def _disk_full(path: Path) -> StateError:
    return StateError(
        f"the disk is full: nothing was written to {path}",
        code=ErrorCode.STATE_DISK_FULL,
        hint="free some space and run the command again; the state is as it was before",
    )


def _read_only(path: Path) -> StateError:
    return StateError(
        f"the state file {path} cannot be written: it or its folder is read-only",
        code=ErrorCode.STATE_READ_ONLY,
        hint="make the folder and the file writable, or name another place with --state",
    )


def _not_permitted(path: Path) -> StateError:
    return StateError(
        f"no permission for the state file {path}",
        code=ErrorCode.STATE_PERMISSION,
        hint="run as the user who owns the file and its folder, or name another place with --state",
    )


def _cannot_open(path: Path) -> StateError:
    # SQLite says only "unable to open"; asking the file itself tells which of the reasons it is.
    try:
        with ExitStack() as stack:
            for _ in range(_HANDLES):
                stack.enter_context(open_stream(path))
    except OSError as error:
        return _from_os(path, error)
    return _not_permitted(path.parent)


def _exhausted(path: Path, error: OSError) -> StateError:
    problem = exhausted(error)
    assert problem is not None
    return StateError(
        f"the state file {path} cannot be opened: {problem.message}", code=problem.code, hint=problem.hint
    )


def _busy(path: Path) -> StateError:
    return StateError(
        f"another program keeps the state file {path} busy",
        code=ErrorCode.STATE_BUSY,
        hint="close the SQLite shell or viewer that has it open for writing",
    )


def _failed(path: Path, error: Exception) -> StateError:
    return StateError(
        f"the state file {path} cannot be used: {error}",
        code=ErrorCode.STATE_FAILED,
        hint="look at the disk and the folder, or name another place with --state",
    )


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_CORRUPT_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""SQLITE_ERROR is what a missing table or column gives: the file is SQLite, but these are not our tables."""

_KNOWN_CODES: Mapping[int, Callable[[Path], StateError]] = {
    sqlite3.SQLITE_FULL: _disk_full,
    sqlite3.SQLITE_READONLY: _read_only,
    sqlite3.SQLITE_PERM: _not_permitted,
    sqlite3.SQLITE_AUTH: _not_permitted,
    sqlite3.SQLITE_CANTOPEN: _cannot_open,
    sqlite3.SQLITE_BUSY: _busy,
    sqlite3.SQLITE_LOCKED: _busy,
}
