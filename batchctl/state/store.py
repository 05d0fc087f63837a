"""The state file as the engine sees it: load it, lock it.

Owns the order of checks, and the migration of what is read. `locking` has what needs the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from batchctl.disk.safe_open import is_there
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import GuardError, StateError
from batchctl.model.events import Event
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.state.connection import back_up, memory_copy, read_snapshot, refuse_left_over_wal
from batchctl.state.database import Database
from batchctl.state.formats import MIGRATIONS, Migration
from batchctl.state.log import refuse_lost_log
from batchctl.state.migrations import Identity, migrate
from batchctl.state.moved import refuse_moved
from batchctl.state.snapshot import check_seal, format_version, read_events, read_recorded, read_version
from batchctl.state.sqlite_errors import state_errors

if TYPE_CHECKING:  # for the lock, which commands that look do not take
    from batchctl.model.ports.surroundings import Clock
    from batchctl.model.writes import Write
    from batchctl.state.lockfile import Holder
    from batchctl.state.locking import Locking
    from batchctl.state.session import FileSession
    from batchctl.state.whole_state import Content

T = TypeVar("T")

_HOPELESS = frozenset({ErrorCode.STATE_TOO_NEW, ErrorCode.STATE_FOREIGN, ErrorCode.STATE_FAILED})
"""Errors that neither another try nor another user can avoid."""

OnWait = Callable[[str], None]
"""Called once with the holder of the lock, as text, when a wait for the lock begins."""


def open_state(
    path: Path,
    *,
    stack: str,
    uid: str,
    clock: Clock,
    who: str | None = None,
    lock_timeout: float = 0,
    on_wait: OnWait | None = None,
) -> FileState:
    """The state of one stack in a local file. It does not open the file yet.

    `who` is written into the lock's note and into events that name no one; None: the user of this process.
    `lock_timeout` is how many seconds `lock` waits for another process.
    """
    return FileState(path.absolute(), Identity(stack, uid), clock, who, lock_timeout, on_wait)


class FileState:
    """Implements StateStore over a SQLite file."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        clock: Clock,
        who: str | None,
        lock_timeout: float,
        on_wait: OnWait | None = None,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self._path = path
        self._identity = identity
        self._clock = clock
        self._who = who
        self._lock_timeout = lock_timeout
        self._on_wait = on_wait
        self._migrations = migrations

    def load(self, like: Iterable[DesiredJob] = ()) -> Recorded:
        return self._read(lambda db: read_recorded(db, self._path, like), Recorded())

    def version(self) -> StateVersion:
        return self._read(lambda db: read_version(db, self._path), StateVersion())

    def events(self, job: str | None, limit: int) -> list[Event]:
        """The newest `limit` events, of one job or of all, oldest first. Raises StateError."""
        return self._read(lambda db: read_events(db, self._path, job, limit), [])

    def content(self) -> Content:
        """The complete, checked content of the file. Raises StateError: `StateCorrupt` if any of it is invalid."""
        from batchctl.state.whole_state import Content, read_content

        return self._read(lambda db: read_content(db, self._path), Content())

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy, even during writes. Raises StateError, also if there is no state yet."""

        def copy(db: Database) -> bool:
            with state_errors(target):
                back_up(db, target)
            return True

        if not self._read(copy, empty=False, migrated=False):
            raise StateError(f"there is no state at {self._path} yet", code=ErrorCode.STATE_FAILED, hint="run `apply`")

    def read_former(self, *, force: bool = False) -> Recorded:
        """The readable part of the state before it is rebuilt; an empty record if there is none.

        Raises GuardError (`StateSound`) if the state is valid and `force` is not given, and StateError if that cannot
        be determined.
        """
        try:
            recorded = self.content().recorded
        except StateError as error:
            if error.code != ErrorCode.STATE_CORRUPT and not (force and error.code in _HOPELESS):
                raise
            return self._read_records()
        if not (recorded.is_new or force):
            message = f"the state {self._path} is valid (recorded jobs: {len(recorded.jobs)}, serial {recorded.serial})"
            raise GuardError(
                message, code=ErrorCode.STATE_SOUND, hint="use --force to rebuild it anyway; the old file is kept"
            )
        return recorded

    def _read_records(self) -> Recorded:
        """The records of a damaged file if they match the seal, else an empty record."""
        try:
            return self.load()
        except StateError:
            return Recorded()

    def lock(self, *, over_marker: bool = False) -> FileSession:
        """Take the lock for one pass. `over_marker`: begin a new state where another one was moved away."""
        return self._locking.lock(over_marker=over_marker)

    def rewrite(self, writes: Sequence[Write], former: Recorded, *, force: bool = False) -> Path | None:
        """Replace the file with one that contains only these writes; returns the new name of the old file, if any.

        The old file may be damaged, and is renamed together with its log. It must be as `read_former` found it: the
        writes do not contain later changes by other processes. Raises LockedError, GuardError and StateError.
        """
        return self._locking.rewrite(writes, former, lambda: self.read_former(force=force))

    def leave(self, to: str, former: Recorded) -> Path:
        """Leave a marker that names the new place; returns the copy of the state that stays here.

        Raises StateError (`StateBusy`) if the state is no longer the one that was copied.
        """
        return self._locking.leave(to, former, self.load, self.copy_to)

    def holder(self) -> Holder | None:
        """The holder of the lock; None if it is free. Raises StateError."""
        return self._locking.holder()

    def break_lock(self, expected: Holder | None = None) -> Holder | None:  # noqa: ARG002 - a local lock has no epoch
        """Take the lock from its holder, which can no longer commit. Returns that holder."""
        return self._locking.break_lock()

    @cached_property
    def _locking(self) -> Locking:
        from batchctl.state.lockfile import this_user
        from batchctl.state.locking import Locking

        path, identity, migrations = self._path, self._identity, self._migrations
        who = self._who or this_user()
        return Locking(path, identity, self._clock, who, self._lock_timeout, self._on_wait, migrations)

    def _read(self, read: Callable[[Database], T], empty: T, *, migrated: bool = True) -> T:
        with state_errors(self._path):
            if not is_there(self._path):
                refuse_left_over_wal(self._path)
                return empty
            refuse_moved(self._path)
            refuse_lost_log(self._path)
            return read_snapshot(self._path, lambda db: self._read_checked(db, read, migrated=migrated))

    def _read_checked(self, db: Database, read: Callable[[Database], T], *, migrated: bool) -> T:
        version = format_version(db, self._path, self._identity, len(self._migrations))
        if version == len(self._migrations) or not migrated:
            return read(db)
        # An older format is migrated in memory: reading never writes to the file.
        check_seal(db, self._path)
        copy = memory_copy(db)
        try:
            migrate(copy, version, self._migrations, self._identity)
            return read(copy)
        finally:
            copy.close()
