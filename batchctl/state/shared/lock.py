"""The lock of a shared state: an object that its holder renews in the background.

`lease` decides; this module reads and writes the object.
"""

from __future__ import annotations

import io
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from batchctl.model.allowance import Allowance
from batchctl.model.errors import ApiError, StateError
from batchctl.model.state_objects import ABSENT, StateObjects, Version
from batchctl.state.lockfile import Holder
from batchctl.state.shared.errors import invalid_lock, lease_lost, place_errors, unprotected
from batchctl.state.shared.lease import Claim, Lease, Take, decide_take
from batchctl.state.shared.note import Note, read_note

LOCK = ".lock"
PROBE = ".probe"
_NONCE_BYTES = 12
_MOST_TIMES = 3
"""How often a lock is read that other processes change at the same time."""
_NEVER_A_GENERATION = "1"


@dataclass(frozen=True)
class Seen:
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
    def holder(self) -> Holder | None:
        """The process that may act on the lock; None if there is none."""
        claim = self.claim
        return self.note.holder if self.note is not None and claim is not None and claim.is_held else None


def lease_clock() -> float:
    """Seconds that also pass while the machine is suspended: a lease does not wait for it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


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


class HeldLock:
    """The lock while this process holds it. Thread-safe: a thread renews it until `release`."""

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
        self._lease = lease
        self._clock = clock
        self._note = note
        self._version = version
        self._sent = sent
        self._lost: StateError | None = None
        self._mutex = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="batchctl-lease", daemon=True)
        self._thread.start()

    def require(self) -> None:
        """Raise StateError if this process may no longer act.

        Costs nothing while the lease is fresh. After a pause it is renewed first, which fails if another process has
        taken the lock.
        """
        if self._lost is None and self._lease.may_act(self._clock() - self._sent):
            return
        with self._mutex:
            if self._lost is not None:
                raise self._lost
            if not self._lease.may_act(self._clock() - self._sent):
                with place_errors(self._objects.address):
                    self._renew()

    def confirm(self) -> None:
        """Read the lock again, and raise StateError if another process has it: what was just read is not ours to use.

        A lock can also be broken, or deleted by hand. A later holder changes the state before it works, so that one
        look after each read of the state is enough.
        """
        with self._mutex, place_errors(self._objects.address):
            if self._objects.find(LOCK).generation != self._version.generation:
                self._lost = lease_lost(self._objects.address, "another process took it over")
                raise self._lost

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

    def abandon(self) -> None:
        """Stop the renewals and leave the lock until its lease ends: a write may still be under way."""
        self._stop()

    def _stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _keep(self) -> None:
        """Renew the lock until the end. Failures leave it to `require`."""
        while not self._end.wait(self._lease.beat):
            with self._mutex:
                try:
                    self._renew()
                except (ApiError, StateError):
                    if self._lost is not None:
                        return

    def _renew(self) -> None:
        """Write the next version. Raises ApiError, and StateError if another process has the lock."""
        note, sent = self._note.renewed(), self._clock()
        with Allowance(self._lease.seconds).holding():
            written = self._objects.put(LOCK, io.BytesIO(note.encode()), self._version.generation)
        if written is None:
            self._lost = lease_lost(self._objects.address, "another process took it over")
            raise self._lost
        self._note, self._version, self._sent = note, written, sent


def probe(objects: StateObjects) -> None:
    """Raise StateError unless the server keeps its promise: it refuses writes to another generation."""
    with place_errors(objects.address):
        # If the first write succeeds, the object is new, or the server ignores preconditions: the second decides.
        was_new = _try_probe(objects, ABSENT)
        if (was_new and _try_probe(objects, ABSENT)) or _try_probe(objects, _NEVER_A_GENERATION):
            raise unprotected(objects.address)


def _try_probe(objects: StateObjects, expected: str) -> bool:
    content = f"batchctl checks preconditions: {secrets.token_hex(_NONCE_BYTES)}\n".encode()
    return objects.put(PROBE, io.BytesIO(content), expected) is not None
