"""The lock file beside the state: an flock, and a note of who holds it.

Owns the file's content and its life. The kernel drops the lock when its holder dies, so a note without a lock is
stale and says nothing. The file is not removed on release: another process may be waiting on it.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from batchctl.state.cells import read_number, read_object, read_text, read_time, time_cell


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, and since when."""

    pid: int
    host: str
    who: str
    command: str
    since: datetime

    @property
    def words(self) -> str:
        """Who it is, for people."""
        since = self.since.isoformat(timespec="seconds")
        return f"`{self.command}` of {self.who} (pid {self.pid} on {self.host}, since {since})"

    def as_json(self) -> dict[str, str | int | None]:
        """The note, as it stands in the lock file."""
        return {
            "pid": self.pid,
            "host": self.host,
            "who": self.who,
            "command": self.command,
            "since": time_cell(self.since),
        }


class LockFile:
    """An flock that this process holds, until `release`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def release(self) -> None:
        """Give the lock back and take the note away."""
        os.ftruncate(self._handle, 0)
        os.close(self._handle)


def take_lock(path: Path, holder: Holder) -> LockFile | None:
    """Take the lock and leave a note in it; None when another process holds it. Raises OSError."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_file_at(handle, path):
                _write_note(handle, holder)
                return LockFile(handle)
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        # The file was removed (`state lock break`) between open and flock: this lock guards nothing.
        os.close(handle)


def lock_holder(path: Path) -> Holder | None:
    """Who holds the lock; None when nobody does, or left no note yet. Raises OSError."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return read_holder(path)
    finally:
        os.close(handle)
    return None


def read_holder(path: Path) -> Holder | None:
    """The note in the lock file; None when it is not there or not whole. Raises OSError."""
    try:
        note = read_object(path.read_text(encoding="utf-8"))
        return Holder(
            pid=read_number(note["pid"]),
            host=read_text(note["host"]),
            who=read_text(note["who"]),
            command=read_text(note["command"]),
            since=read_time(note["since"]),
        )
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _is_file_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _write_note(handle: int, holder: Holder) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(holder.as_json()).encode() + b"\n", 0)
