"""A shared state as the engine and the commands see it: the methods of `FileState`, over copies of the shared state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BadReply, GuardError, LockedError, StateError
from batchctl.model.events import Event
from batchctl.model.ports import Clock
from batchctl.model.recorded import Recorded, Write
from batchctl.model.state_objects import StateObjects
from batchctl.state.lockfile import Holder, this_process
from batchctl.state.migrations import Identity
from batchctl.state.shared.copies import Copies, Copy
from batchctl.state.shared.errors import lease_lost, naming
from batchctl.state.shared.lease import Lease
from batchctl.state.shared.lock import HeldLock, Seen, lease_clock, probe, read_lock, take
from batchctl.state.shared.session import SharedSession, put_file, put_side_copies
from batchctl.state.store import FileState, OnWait, open_state
from batchctl.state.whole_state import Content

T = TypeVar("T")

POLL_SECONDS = 1.0
"""The seconds between two tries to take the lock: an object may be written once a second."""
_FENCES = 5
"""Tries to fence: each failure is a write of a former holder."""


@dataclass(frozen=True)
class LockTerms:
    """How a process takes the lock and keeps it."""

    timeout: float = 0
    """How many seconds it waits for another process."""
    on_wait: OnWait | None = None
    lease: Lease = field(default_factory=Lease)
    clock: Callable[[], float] = lease_clock


class SharedState:
    """Implements StateStore over a shared place. Nothing is read before the first call."""

    def __init__(
        self, objects: StateObjects, identity: Identity, clock: Clock, who: str, terms: LockTerms | None = None
    ) -> None:
        self._objects = objects
        self._copies = Copies(objects)
        self._identity = identity
        self._clock = clock
        self._who = who
        self._terms = terms or LockTerms()
        self._is_probed = False

    @property
    def address(self) -> str:
        return self._objects.address

    def load(self) -> Recorded:
        return self._read(FileState.load)

    def events(self, job: str | None, limit: int) -> list[Event]:
        """The newest `limit` events, of one job or of all, oldest first. Raises StateError."""
        return self._read(lambda file: file.events(job, limit))

    def content(self) -> Content:
        """The complete, checked content. Raises StateError: `StateCorrupt` if any of it is invalid."""
        return self._read(FileState.content)

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to a local file. Raises StateError, also if there is no state yet."""
        self._read(lambda file: file.copy_to(target))

    def read_former(self, *, force: bool = False) -> Recorded:
        """See `FileState.read_former`."""
        return self._read(lambda file: file.read_former(force=force))

    def lock(self, *, over_marker: bool = False) -> SharedSession:
        """Take the lock for one pass. `over_marker`: begin a new state where another one was moved away."""
        return self._open(self._take_lock(), over_marker=over_marker)

    def holder(self) -> Holder | None:
        """The holder of the lock; None if it is free, or its lease has ended. Raises StateError."""
        return read_lock(self._objects).holder

    def break_lock(self, expected: Holder | None) -> Holder | None:
        """Take the lock from this holder, which can no longer write; None: it is free. Returns that holder.

        Raises GuardError if another process holds it by now, and StateError.
        """
        if expected is None:
            return None
        self._probe_once()
        taken = self._try_take(broken=expected.epoch)
        if isinstance(taken, Seen):
            now = taken.note.holder if taken.note is not None else None
            raise GuardError(
                f"the lock is no longer that of epoch {expected.epoch}: {now.words if now else 'it changed'} has it",
                code=ErrorCode.GUARD,
                hint="`batchctl state lock show` names the present holder and its epoch",
            )
        with self._open(taken):
            pass
        return expected

    def rewrite(self, writes: Sequence[Write], former: Recorded, *, force: bool = False) -> str | None:
        """Replace the state; returns the address of the former one, if any. See `FileState.rewrite`."""
        with self._replacing() as copy:
            aside = self._file(copy).rewrite(writes, former, force=force)
            put_side_copies(self._objects, copy.path)
            with self._copies.scratch() as snapshot:
                self._file(copy).copy_to(snapshot)
                self._replace(copy, snapshot)
        return None if aside is None else self.address + aside.name.removeprefix(copy.path.name)

    def leave(self, to: str, former: Recorded) -> str:
        """Leave a marker that names the new place; returns the copy that stays here. See `FileState.leave`."""
        with self._replacing() as copy:
            kept = self._file(copy).leave(to, former)
            put_side_copies(self._objects, copy.path)
            self._replace(copy, copy.path)
        return self.address + kept.name.removeprefix(copy.path.name)

    @contextmanager
    def _replacing(self) -> Iterator[Copy]:
        """A copy of the present state under the lock, to be replaced as a whole."""
        lock = self._take_lock()
        try:
            copy = self._copies.newest()
            lock.confirm()
            self._copies.forget()
            with naming(self.address, copy.path):
                yield copy
        finally:
            lock.release()

    def _replace(self, copy: Copy, file: Path) -> None:
        """Write a file in place of the version that was copied. Raises StateError."""
        if put_file(self._objects, "", file, copy.generation) is None:
            raise lease_lost(self.address, "another process wrote to it")

    def _read(self, read: Callable[[FileState], T]) -> T:
        copy = self._newest()
        with naming(self.address, copy.path):
            return read(self._file(copy))

    def _newest(self) -> Copy:
        try:
            return self._copies.newest()
        except StateError as error:
            if isinstance(error.__cause__, BadReply):
                # The server is not Cloud Storage. If it ignores preconditions, that is the reason to give.
                self._refuse_unprotected()
            raise

    def _refuse_unprotected(self) -> None:
        try:
            probe(self._objects)
        except StateError as error:
            if error.code == ErrorCode.STATE_UNPROTECTED:
                raise

    def _file(self, copy: Copy) -> FileState:
        return open_state(
            copy.path, stack=self._identity.stack, uid=self._identity.uid, clock=self._clock, who=self._who
        )

    def _open(self, lock: HeldLock, *, over_marker: bool = False) -> SharedSession:
        """Begin a session. Its exit releases the lock, unless a write may still be under way."""
        for _ in range(_FENCES):
            try:
                copy = self._copies.newest()
                lock.confirm()
                with naming(self.address, copy.path):
                    inner = self._file(copy).lock(over_marker=over_marker)
            except BaseException:
                lock.release()
                raise
            session = SharedSession(self._objects, self._copies, copy, inner, lock)
            try:
                if not lock.must_fence or session.fence():
                    return session
            except BaseException:
                session.__exit__(None, None, None)
                raise
            # The former holder has just written.
            session.close_copy()
            self._copies.forget()
        lock.release()
        raise lease_lost(self.address, "another process writes to it without the lock")

    def _take_lock(self) -> HeldLock:
        self._probe_once()
        # Tries are counted, not timed: a sleep that a signal ends early must not become a busy loop.
        polls = int(self._terms.timeout / POLL_SECONDS)
        for poll in range(polls):
            taken = self._try_take()
            if isinstance(taken, HeldLock):
                return taken
            if poll == 0 and self._terms.on_wait is not None:
                self._terms.on_wait(_held_by(taken))
            self._clock.sleep(POLL_SECONDS)
        taken = self._try_take()
        if isinstance(taken, HeldLock):
            return taken
        raise self._locked(taken)

    def _try_take(self, broken: int | None = None) -> HeldLock | Seen:
        holder = this_process(self._who, self._clock.now())
        return take(self._objects, holder, self._terms.lease, self._terms.clock, broken)

    def _probe_once(self) -> None:
        if not self._is_probed:
            probe(self._objects)
            self._is_probed = True

    def _locked(self, seen: Seen) -> LockedError:
        holder = None if seen.note is None else seen.note.holder
        lease = "" if seen.note is None or seen.note.seconds is None else f" of {seen.note.seconds:g} s"
        return LockedError(
            f"the state {self.address} is locked by {_held_by(seen)}",
            hint=f"wait until it ends, or stop it; a killed process keeps its lease{lease}; "
            "if it hangs, break the lock with `batchctl state lock break`",
            details=holder.as_json() if holder else {},
        )


def _held_by(seen: Seen) -> str:
    holder = None if seen.note is None else seen.note.holder
    return holder.words if holder else "another process"
