"""Runs a command line of batchctl in this process, and notes how long it holds the lock and what it writes meanwhile.

    python benchmarks/noted_locks.py apply --yes --wait -C FOLDER

Each time that the lock is released, it prints one line of JSON to standard error, of all up to then: `holdings`, the
seconds of `held` and of the `longest` of them, the `commits`, and the bytes that went into the state's log (`logged`).
Each commit writes the pages that it has changed there; they reach the file later.
"""

from __future__ import annotations

import json
import struct
import sys
import time
from pathlib import Path
from typing import Any

from batchctl.state import locking
from batchctl.state.lockfile import LockFile
from batchctl.state.session import FileSession

_FRAMES = struct.Struct("=8xI2xHI")
"""Of the log's index: a counter of changes, the bytes of a page, the frames of the log
(SQLite, WAL-mode File Format, "The WAL-Index Header")."""
_FRAME_HEAD = 24
_LARGEST_PAGE = 65536


class Notes:
    """What was seen so far."""

    def __init__(self) -> None:
        self._begun = 0.0
        self._frames = 0
        self._found = {"holdings": 0, "held": 0.0, "longest": 0.0, "commits": 0, "logged": 0}

    def taken(self) -> None:
        """The lock was taken."""
        self._begun = time.monotonic()

    def released(self) -> None:
        """The lock was released."""
        held = time.monotonic() - self._begun
        found = self._found
        found.update(holdings=found["holdings"] + 1, held=found["held"] + held, longest=max(found["longest"], held))
        print(json.dumps(found), file=sys.stderr, flush=True)

    def committed(self, path: Path) -> None:
        """A commit has ended."""
        self._found["commits"] += 1
        self.logged(path)

    def logged(self, path: Path) -> None:
        """The log may have grown. After a checkpoint it begins anew."""
        index = path.with_name(f"{path.name}-shm")
        _, page, frames = _FRAMES.unpack(index.open("rb").read(_FRAMES.size))
        new = frames - self._frames if frames >= self._frames else frames
        self._frames = frames
        self._found["logged"] += new * ((_LARGEST_PAGE if page == 1 else page) + _FRAME_HEAD)


def note_all(notes: Notes) -> None:
    """Let the state tell these notes what it does."""
    take, release, commit = locking.take_lock, LockFile.release, FileSession.commit

    def take_lock(*arguments: Any) -> LockFile | None:  # noqa: ANN401 - passed on as they are
        lock = take(*arguments)
        if lock is not None:
            notes.taken()
        return lock

    def noted_release(lock: LockFile) -> None:
        release(lock)
        notes.released()

    def noted_commit(session: FileSession, *arguments: Any) -> None:  # noqa: ANN401 - as above
        commit(session, *arguments)
        notes.committed(session._path)  # noqa: SLF001 - it looks inside

    locking.take_lock = take_lock
    LockFile.release = noted_release  # type: ignore[method-assign]
    FileSession.commit = noted_commit  # type: ignore[method-assign]


if __name__ == "__main__":
    from batchctl.cli import main

    note_all(Notes())
    sys.argv[0] = "batchctl"
    main()
