"""The lock file beside the state: an flock, and a note about its holder.

The kernel releases the lock when its holder dies, so a note without a lock is stale. The file is not removed on
release, because another process may be waiting for it.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from batchctl.disk.private_files import open_or_create
from batchctl.disk.safe_open import open_file, read_start
from batchctl.model.json_value import Json
from batchctl.model.times import rfc3339_seconds
from batchctl.state.cells import read_number, read_object, read_text, read_time, time_cell

_LONGEST_NOTE = 64 * 1024
"""Bytes; real notes are much shorter."""
_TRIES = 500
_PAUSE_SECONDS = 0.001
"""The tries, and the pause between them, while only readers of the note have the file locked."""


class Holder(Struct, frozen=True):
    """The holder of the lock."""

    pid: int
    host: str
    who: str
    command: str
    since: datetime
    epoch: int | None = None
    """Identifies this holding of a shared state's lock; None for a local state."""

    @property
    def words(self) -> str:
        """The holder for messages."""
        epoch = "" if self.epoch is None else f", epoch {self.epoch}"
        since = rfc3339_seconds(self.since)
        return f"`{self.command}` of {self.who} (pid {self.pid} on {self.host}, since {since}{epoch})"

    def as_json(self) -> dict[str, str | int | None]:
        """The content of the lock file."""
        return {
            "pid": self.pid,
            "host": self.host,
            "who": self.who,
            "command": self.command,
            "since": time_cell(self.since),
            **({} if self.epoch is None else {"epoch": self.epoch}),
        }


def this_user() -> str:
    """The user and host, for the lock's note and for the history of a state."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # Users in containers may have no name.
        user = f"uid{os.getuid()}"
    return f"{user}@{os.uname().nodename}"


def this_process(who: str, now: datetime) -> Holder:
    """Gives this process as the holder of a lock."""
    return Holder(os.getpid(), os.uname().nodename, who, _command(), now)


def _command() -> str:
    """The program and its command. Further arguments are left out: they may be secret."""
    program = Path(sys.argv[0]).name
    words = [word for word in sys.argv[1:2] if not word.startswith("-")]
    return " ".join([program, *words])


class LockFile:
    """An flock that this process holds, until `release`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def release(self) -> None:
        """Release the lock and remove the note."""
        os.ftruncate(self._handle, 0)
        os.close(self._handle)


def take_lock(path: Path, holder: Holder) -> LockFile | None:
    """Take the lock and write the note; None if another process holds the lock. Raises OSError."""
    while True:
        handle = open_or_create(path)
        try:
            if not _lock(handle):
                os.close(handle)
                return None
            if _is_file_at(handle, path):
                _write_note(handle, holder)
                return LockFile(handle)
        except BaseException:
            os.close(handle)
            raise
        # The file was removed (`state lock break`) between open and flock: this lock protects nothing.
        os.close(handle)


def _lock(handle: int) -> bool:
    """Take the exclusive lock; False if another process has it.

    A reader of the note (`lock_holder`) holds a shared lock for a moment. That must not make this process fail, so a
    shared lock is tried again until it is released.
    """
    for _ in range(_TRIES):
        if _try(handle, fcntl.LOCK_EX):
            return True
        if not _try(handle, fcntl.LOCK_SH):
            return False
        fcntl.flock(handle, fcntl.LOCK_UN)
        time.sleep(_PAUSE_SECONDS)
    return False


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_holder(path: Path) -> Holder | None:
    """The holder of the lock; None if it is free or has no note yet. Raises OSError."""
    if read_holder(path) is None:
        # Without a note there is nothing to report, so the lock is not touched.
        return None
    try:
        handle = open_file(path)
    except FileNotFoundError:
        return None
    try:
        return None if _try(handle, fcntl.LOCK_SH) else read_holder(path)
    finally:
        os.close(handle)


def read_holder(path: Path) -> Holder | None:
    """The note in the lock file; None if it is missing or incomplete. Raises OSError."""
    try:
        return holder_of(read_object(read_start(path, _LONGEST_NOTE).decode("utf-8")))
    except (FileNotFoundError, ValueError, KeyError):
        return None


def holder_of(note: Mapping[str, Json], epoch: int | None = None) -> Holder:
    """The holder of a note, as `Holder.as_json` wrote it. Raises ValueError and KeyError."""
    return Holder(
        pid=read_number(note["pid"]),
        host=read_text(note["host"]),
        who=read_text(note["who"]),
        command=read_text(note["command"]),
        since=read_time(note["since"]),
        epoch=epoch,
    )


def _is_file_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def _write_note(handle: int, holder: Holder) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(holder.as_json()).encode() + b"\n", 0)
