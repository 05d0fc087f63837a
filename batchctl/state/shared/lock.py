"""The lock of a shared state: an object that its holder renews in the background.

`lease` decides; this module reads and writes the object.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from batchctl.model.allowance import Allowance
from batchctl.model.errors import ApiError
from batchctl.model.state_objects import ABSENT, StateObjects, Version, ignores_preconditions
from batchctl.state.lockfile import Holder
from batchctl.state.session import FileSession
from batchctl.state.shared.errors import invalid_lock, naming, place_errors, unprotected
from batchctl.state.shared.kept_lease import KeptLease, lease_clock
from batchctl.state.shared.lease import Claim, Lease, Take, decide_take
from batchctl.state.shared.note import Note, read_note
from batchctl.state.shared.place import Found
from batchctl.state.sqlite_errors import state_errors

LOCK = ".lock"
_NONCE_BYTES = 12
_MOST_TIMES = 3
"""How often a lock is read that other processes change at the same time."""


class Seen(Struct, frozen=True):
    """A lock as it was read."""

    version: Version
    note: Note | None

    @property
    def claim(self) -> Claim | None:
        if self.note is None:
            return None
        now, written = self.version.now, self.version.written
        age = None if now is None or written is None else (now - written).total_seconds()
        return Claim(self.note.epoch, self.note.seconds, age)

    @property
    def found(self) -> Found:
        return Found(self.claim, None if self.note is None else self.note.holder)


def read_lock(objects: StateObjects) -> Seen:
    """Read the lock. Raises StateError."""
    content = io.BytesIO()
    with place_errors(objects.address):
        version = objects.fetch(LOCK, content)
    if version.generation == ABSENT:
        return Seen(version, None)
    try:
        return Seen(version, read_note(content.getvalue()))
    except ValueError as error:
        raise invalid_lock(objects.address, str(error)) from error


def take(
    objects: StateObjects,
    holder: Holder,
    lease: Lease,
    clock: Callable[[], float] = lease_clock,
    broken: int | None = None,
) -> HeldLock | Seen:
    """Take the lock; gives what was read if another process holds it. `broken` is an epoch to take it from.

    Raises StateError.
    """
    seen = read_lock(objects)
    for _ in range(_MOST_TIMES):
        way = decide_take(seen.claim, broken)
        if way is None:
            return seen
        note = Note(way.epoch, secrets.token_hex(_NONCE_BYTES), 0, holder, lease.seconds)
        sent = clock()
        with place_errors(objects.address):
            written = objects.put(LOCK, io.BytesIO(note.encode()), seen.version.generation)
        if written is not None:
            return HeldLock(objects, lease, clock, note, written, sent, way)
        seen = read_lock(objects)
    return seen


class HeldLock(KeptLease):
    """Implements Held over the objects of a state."""

    def __init__(
        self,
        objects: StateObjects,
        lease: Lease,
        clock: Callable[[], float],
        note: Note,
        version: Version,
        sent: float,
        way: Take,
    ) -> None:
        self.must_fence = way.must_fence
        self.epoch = note.epoch
        self._objects = objects
        self._note = note
        self._version = version
        super().__init__(objects.address, lease, clock, sent)

    def confirm(self) -> None:
        """Read the lock again, and raise StateError if another process has it: what was just read is not ours to use.

        A lock can also be broken, or deleted by hand. A later holder changes the state before it works, so that one
        look after each read of the state is enough.
        """
        with self._mutex, place_errors(self._objects.address):
            if self._objects.find(LOCK).generation != self._version.generation:
                raise self._lose()

    def begin(self, inner: FileSession) -> None:
        """Nothing: each write sends the whole copy."""

    def push(self, inner: FileSession, copy: Path, expected: str) -> str | None:
        snapshot = copy.with_name("sent.db")
        with naming(self._objects.address, copy):
            inner.copy_to(snapshot)
        try:
            return self.replace(snapshot, expected)
        finally:
            snapshot.unlink()

    def replace(self, file: Path, expected: str) -> str | None:
        version = self._put(file, "", expected)
        return None if version is None else version.generation

    def keep(self, suffix: str, file: Path) -> None:
        self._put(file, suffix, ABSENT)

    def copy_name(self, suffix: str) -> str:
        return self._objects.address + suffix

    def _put(self, file: Path, suffix: str, expected: str) -> Version | None:
        with place_errors(self._objects.address), state_errors(file), file.open("rb") as stream:
            return self._objects.put(suffix, stream, expected)

    def release(self) -> None:
        """Stop the renewals and free the lock, if this process still has it."""
        self._stop()
        with self._mutex:
            if self._lost is None:
                try:
                    self._objects.put(LOCK, io.BytesIO(self._note.released().encode()), self._version.generation)
                except ApiError:
                    # The lease ends by itself, and the work of this process is done.
                    return

    def _renew(self) -> None:
        """Write the next version. Raises ApiError, and StateError if another process has the lock."""
        note, sent = self._note.renewed(), self._clock()
        with Allowance(self._lease.seconds).holding():
            written = self._objects.put(LOCK, io.BytesIO(note.encode()), self._version.generation)
        if written is None:
            raise self._lose()
        self._note, self._version, self._sent = note, written, sent


def probe(objects: StateObjects) -> None:
    """Raise StateError unless the server keeps its promise: it refuses writes to another generation."""
    with place_errors(objects.address):
        if ignores_preconditions(objects):
            raise unprotected(objects.address)
