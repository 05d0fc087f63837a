"""A shared state as the engine and the commands see it: the methods of `FileState`, over copies of the shared state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import GuardError, LockedError
from batchctl.model.events import Event
from batchctl.model.ports.surroundings import Clock
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.model.writes import Write
from batchctl.state.lockfile import Holder, this_process, this_user
from batchctl.state.migrations import Identity
from batchctl.state.shared.copies import Copies, Copy
from batchctl.state.shared.errors import lease_lost, naming
from batchctl.state.shared.place import Found, Held, Place
from batchctl.state.shared.session import SharedSession, put_side_copies
from batchctl.state.store import FileState, OnWait, open_state
from batchctl.state.whole_state import Content

T = TypeVar("T")

POLL_SECONDS = 1.0
"""The seconds between two tries to take the lock: an object may be written once a second."""
_FENCES = 5
"""Tries to fence: each failure is a write of a former holder."""


class LockTerms(Struct, frozen=True):
    """How a process takes the lock and keeps it."""

    timeout: float = 0
    """How many seconds it waits for another process."""
    on_wait: OnWait | None = None


class SharedState:
    """Implements StateStore over a shared place. Nothing is read before the first call."""

    def __init__(
        self, place: Place, identity: Identity, clock: Clock, who: str | None = None, terms: LockTerms | None = None
    ) -> None:
        """`who` is as in `open_state`."""
        self._place = place
        self._copies = Copies(place)
        self._identity = identity
        self._clock = clock
        self._who = who
        self._terms = terms or LockTerms()

    @property
    def address(self) -> str:
        return self._place.address

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        return self._read(lambda file: file.load(like))

    def version(self) -> StateVersion:
        return self._read(FileState.version)

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
        return self._place.look().holder

    def break_lock(self, expected: Holder | None) -> Holder | None:
        """Take the lock from this holder, which can no longer write; None: it is free. Returns that holder.

        Raises GuardError if another process holds it by now, and StateError.
        """
        if expected is None:
            return None
        taken = self._try_take(broken=expected.epoch)
        if isinstance(taken, Found):
            now = taken.named
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
        with self._replacing() as (copy, lock):
            aside = self._file(copy).rewrite(writes, former, force=force)
            put_side_copies(lock, copy.path)
            snapshot = copy.path.with_name("sent.db")
            self._file(copy).copy_to(snapshot)
            self._replace(lock, copy, snapshot)
            return None if aside is None else lock.copy_name(aside.name.removeprefix(copy.path.name))

    def leave(self, to: str, former: Recorded) -> str:
        """Leave a marker that names the new place; returns the copy that stays here. See `FileState.leave`."""
        with self._replacing() as (copy, lock):
            kept = self._file(copy).leave(to, former)
            put_side_copies(lock, copy.path)
            self._replace(lock, copy, copy.path)
            return lock.copy_name(kept.name.removeprefix(copy.path.name))

    @contextmanager
    def _replacing(self) -> Iterator[tuple[Copy, Held]]:
        """A copy of the present state and the lock, to replace the state as a whole."""
        lock = self._take_lock()
        try:
            copy = self._copies.newest()
            lock.confirm()
            self._copies.forget()
            with naming(self.address, copy.path):
                yield copy, lock
        finally:
            lock.release()

    def _replace(self, lock: Held, copy: Copy, file: Path) -> None:
        """Write a file in place of the version that was copied. Raises StateError."""
        if lock.replace(file, copy.generation) is None:
            raise lease_lost(self.address, "another process wrote to it")

    def _read(self, read: Callable[[FileState], T]) -> T:
        copy = self._copies.newest()
        with naming(self.address, copy.path):
            return read(self._file(copy))

    def _file(self, copy: Copy) -> FileState:
        return open_state(
            copy.path, stack=self._identity.stack, uid=self._identity.uid, clock=self._clock, who=self._who
        )

    def _open(self, lock: Held, *, over_marker: bool = False) -> SharedSession:
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
            session = SharedSession(self.address, self._copies, copy, inner, lock)
            try:
                lock.begin(inner)
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

    def _take_lock(self) -> Held:
        # Tries are counted, not timed: a sleep that a signal ends early must not become a busy loop.
        polls = int(self._terms.timeout / POLL_SECONDS)
        for poll in range(polls):
            taken = self._try_take()
            if not isinstance(taken, Found):
                return taken
            if poll == 0 and self._terms.on_wait is not None:
                self._terms.on_wait(_held_by(taken))
            self._clock.sleep(POLL_SECONDS)
        taken = self._try_take()
        if not isinstance(taken, Found):
            return taken
        raise self._locked(taken)

    def _try_take(self, broken: int | None = None) -> Held | Found:
        return self._place.take(this_process(self._who or this_user(), self._clock.now()), broken)

    def _locked(self, found: Found) -> LockedError:
        seconds = None if found.claim is None else found.claim.seconds
        lease = "" if seconds is None else f" of {seconds:g} s"
        return LockedError(
            f"the state {self.address} is locked by {_held_by(found)}",
            hint=f"wait until it ends, or stop it; a killed process keeps its lease{lease}; "
            "if it hangs, break the lock with `batchctl state lock break`",
            details=found.named.as_json() if found.named else {},
        )


def _held_by(found: Found) -> str:
    return found.named.words if found.named else "another process"
