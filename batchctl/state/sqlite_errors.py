"""Maps SQLite's result codes and OSError to StateErrors with a hint. No other error leaves this package."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from batchctl.disk.safe_open import UnsafeFile, open_stream
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError
from batchctl.model.exhaustion import RUN_OUT, exhausted

CORRUPT_HINT = (
    "`batchctl state rebuild` rebuilds it from the marks on the stack's jobs and from the results folder,"
    " and keeps the old file; or restore a backup"
)

_SPACE = 64 * 1024
"""The bytes that SQLite needs to continue: its shared memory takes 32 KiB, and a commit some pages."""

_HANDLES = 4
"""Files that SQLite has open at once: the state, its log, its shared memory, a temporary one."""

_LOW_BYTE = 0xFF
"""The primary code is the low byte of SQLite's extended result codes."""


def corrupt(path: Path, reason: str) -> StateError:
    """The error for a file whose content is not a valid state."""
    return StateError(f"the state file {path} is corrupt: {reason}", code=ErrorCode.STATE_CORRUPT, hint=CORRUPT_HINT)


def lock_lost(path: Path, reason: str) -> StateError:
    """The error for a session that may no longer write."""
    return StateError(
        f"the lock on {path} was lost: {reason}",
        code=ErrorCode.LOCK_LOST,
        hint="nothing of this commit was written; run the command again",
    )


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code. Extended codes differ between versions."""
    # The driver reports text that is not UTF-8, without a code.
    unreadable = sqlite3.SQLITE_ERROR if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_INTERNAL
    code: int = getattr(error, "sqlite_errorcode", unreadable)
    return code & _LOW_BYTE


@contextmanager
def state_errors(path: Path) -> Iterator[None]:
    """Turn sqlite3.Error, OSError and the driver's UnicodeDecodeError into StateError."""
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
    # SQLite reports FULL only for its data files; for its shared memory or a quota it reports "I/O error".
    if code == sqlite3.SQLITE_IOERR and (_cannot_grow(error) or not _has_space(path.parent)):
        return _disk_full(path)
    known = _KNOWN_CODES.get(code)
    return known(path) if known else _failed(path, error)


def _from_os(path: Path, error: OSError) -> StateError:
    if isinstance(error, UnsafeFile):
        return StateError(
            f"refused to open the state: {error.words}",
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


def _cannot_grow(error: sqlite3.Error) -> bool:
    """Whether the shared memory could not be enlarged. A disk with less than it needs may still take other bytes."""
    return error.sqlite_errorcode == sqlite3.SQLITE_IOERR_SHMSIZE


def _has_space(folder: Path) -> bool:
    """Whether a few bytes can be written there. It tries, because free blocks do not account for quotas."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as stream:
            stream.write(bytes(_SPACE))
            os.fsync(stream.fileno())
    except OSError as error:
        return error.errno not in _FULL
    return True


def _disk_full(path: Path) -> StateError:
    return StateError(
        f"the disk is full: nothing was written to {path}",
        code=ErrorCode.STATE_DISK_FULL,
        hint="free some space and run the command again; the state is unchanged",
    )


def _read_only(path: Path) -> StateError:
    return StateError(
        f"the state file {path} cannot be written: it or its folder is read-only",
        code=ErrorCode.STATE_READ_ONLY,
        hint="make the folder and the file writable, or name another file with --state",
    )


def _not_permitted(path: Path) -> StateError:
    return StateError(
        f"no permission for the state file {path}",
        code=ErrorCode.STATE_PERMISSION,
        hint="run as the user who owns the file and its folder, or name another file with --state",
    )


def _cannot_open(path: Path) -> StateError:
    # SQLite reports only "unable to open"; opening the file gives the reason.
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
        f"another program is writing to the state file {path}",
        code=ErrorCode.STATE_BUSY,
        hint="close the SQLite shell or viewer that has it open for writing",
    )


def _failed(path: Path, error: Exception) -> StateError:
    return StateError(
        f"the state file {path} cannot be used: {error}",
        code=ErrorCode.STATE_FAILED,
        hint="check the disk and the folder, or name another file with --state",
    )


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_CORRUPT_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""SQLITE_ERROR means a missing table or column: the file is SQLite, but its tables are not ours."""

_KNOWN_CODES: Mapping[int, Callable[[Path], StateError]] = {
    sqlite3.SQLITE_FULL: _disk_full,
    sqlite3.SQLITE_READONLY: _read_only,
    sqlite3.SQLITE_PERM: _not_permitted,
    sqlite3.SQLITE_AUTH: _not_permitted,
    sqlite3.SQLITE_CANTOPEN: _cannot_open,
    sqlite3.SQLITE_BUSY: _busy,
    sqlite3.SQLITE_LOCKED: _busy,
}
