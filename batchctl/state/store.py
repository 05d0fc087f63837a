"""The state file as the engine sees it: load it, lock it.

Owns the order of checks, lock, creation and migration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder, sync_folder
from batchctl.disk.safe_open import is_there
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import GuardError, LockedError, StateError
from batchctl.model.events import Event
from batchctl.model.ports.surroundings import Clock
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.model.writes import Write
from batchctl.state.connection import (
    back_up,
    connect_writer,
    create_file,
    has_content,
    memory_copy,
    put_aside,
    read_snapshot,
    refuse_left_over_wal,
    side_file,
)
from batchctl.state.database import Database
from batchctl.state.formats import MIGRATIONS, Migration
from batchctl.state.lockfile import Holder, LockFile, lock_holder, read_holder, take_lock, this_process
from batchctl.state.log import refuse_lost_log
from batchctl.state.migrations import Identity, migrate
from batchctl.state.moved import marker, moved_to, refuse_moved
from batchctl.state.networks import refuse_network_file_system
from batchctl.state.session import FileSession, break_sessions
from batchctl.state.snapshot import check_seal, format_version, read_events, read_recorded, read_version
from batchctl.state.sqlite_errors import corrupt, state_errors
from batchctl.state.whole_state import Content, check_pages, read_content, require_same, write_once

T = TypeVar("T")

_HOPELESS = frozenset({ErrorCode.STATE_TOO_NEW, ErrorCode.STATE_FOREIGN, ErrorCode.STATE_FAILED})
"""Errors that neither another try nor another user can avoid."""

POLL_SECONDS = 0.5
"""The seconds between two tries to take the lock."""


OnWait = Callable[[str], None]
"""Called once with the holder of the lock, as text, when a wait for the lock begins."""


def open_state(
    path: Path,
    *,
    stack: str,
    uid: str,
    clock: Clock,
    who: str,
    lock_timeout: float = 0,
    on_wait: OnWait | None = None,
) -> FileState:
    """The state of one stack in a local file. It does not open the file yet.

    `who` is written into the lock's note and into events that name no one; `lock_timeout` is how many seconds `lock`
    waits for another process.
    """
    return FileState(path.absolute(), Identity(stack, uid), clock, who, lock_timeout, on_wait)


class FileState:
    """Implements StateStore over a SQLite file."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        clock: Clock,
        who: str,
        lock_timeout: float,
        on_wait: OnWait | None = None,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self._path = path
        self._lock_path = side_file(path, ".lock")
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

    def lock(self, *, over_marker: bool = False) -> FileSession:
        """Take the lock for one pass. `over_marker`: begin a new state where another one was moved away."""
        with self._locked_folder() as lock:
            try:
                if over_marker and moved_to(self._path) is not None:
                    self._path.unlink()
                return self._open_session(lock)
            except BaseException:
                lock.release()
                raise

    def content(self) -> Content:
        """The complete, checked content of the file. Raises StateError: `StateCorrupt` if any of it is invalid."""
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

    def rewrite(self, writes: Sequence[Write], former: Recorded, *, force: bool = False) -> Path | None:
        """Replace the file with one that contains only these writes; returns the new name of the old file, if any.

        The old file may be damaged, and is renamed together with its log. It must be as `read_former` found it: the
        writes do not contain later changes by other processes. Raises LockedError, GuardError and StateError.
        """
        with self._locked_folder() as lock:
            try:
                present = self.read_former(force=force)
                require_same(self._path, present, former)
                new = side_file(self._path, ".rebuilt")
                for left_over in (new, side_file(new, "-wal"), side_file(new, "-shm")):
                    left_over.unlink(missing_ok=True)
                create_file(new, self._migrations, self._identity)
                write_once(new, writes, self._who)
                aside = side_file(self._path, f".corrupt-{self._clock.now():%Y%m%dT%H%M%SZ}")
                found = put_aside(self._path, aside)
                new.replace(self._path)
                sync_folder(self._path.parent)
            finally:
                lock.release()
        return aside if found else None

    def leave(self, to: str, former: Recorded) -> Path:
        """Leave a marker that names the new place; returns the copy of the state that stays here.

        Raises StateError (`StateBusy`) if the state is no longer the one that was copied.
        """
        with self._locked_folder() as lock:
            try:
                require_same(self._path, self.load(), former)
                kept = side_file(self._path, f".migrated-{self._clock.now():%Y%m%dT%H%M%SZ}")
                self.copy_to(kept)
                with replace_file(self._path) as stream:
                    stream.write(marker(to))
                for suffix in ("-wal", "-shm"):
                    side_file(self._path, suffix).unlink(missing_ok=True)
            finally:
                lock.release()
        return kept

    def holder(self) -> Holder | None:
        """The holder of the lock; None if it is free. Raises StateError."""
        with state_errors(self._lock_path):
            return lock_holder(self._lock_path)

    def break_lock(self, expected: Holder | None = None) -> Holder | None:  # noqa: ARG002 - a local lock has no epoch
        """Take the lock from its holder, which can no longer commit. Returns that holder.

        The epoch is raised first. In the other order, another process could take the free lock and be broken instead.
        """
        holder = self.holder()
        with state_errors(self._path):
            if is_there(self._path):
                break_sessions(self._path)
            self._lock_path.unlink(missing_ok=True)
        return holder

    @contextmanager
    def _locked_folder(self) -> Iterator[LockFile]:
        with state_errors(self._path):
            folder = self._path.parent
            refuse_network_file_system(folder)
            make_folder(folder)
            yield self._take_lock()

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

    def _take_lock(self) -> LockFile:
        holder = this_process(self._who, self._clock.now())
        # Tries are counted, not timed: a sleep that a signal ends early must not become a busy loop.
        polls = int(self._lock_timeout / POLL_SECONDS)
        for poll in range(polls):
            lock = take_lock(self._lock_path, holder)
            if lock is not None:
                return lock
            if poll == 0 and self._on_wait is not None:
                self._on_wait(self._held_by())
            self._clock.sleep(POLL_SECONDS)
        lock = take_lock(self._lock_path, holder)
        if lock is None:
            raise self._locked()
        return lock

    def _held_by(self) -> str:
        holder = read_holder(self._lock_path)
        return holder.words if holder else "another process"

    def _locked(self) -> LockedError:
        holder = read_holder(self._lock_path)
        return LockedError(
            f"the state file {self._path} is locked by {self._held_by()}",
            hint="wait until it ends, or stop it; if it hangs, break the lock with `batchctl state lock break`",
            details=holder.as_json() if holder else {},
        )

    def _open_session(self, lock: LockFile) -> FileSession:
        if not is_there(self._path):
            create_file(self._path, self._migrations, self._identity)
        elif not has_content(self._path):
            # batchctl's files are never empty, so this one was truncated; SQLite would initialise it again.
            raise corrupt(self._path, "it is empty")
        refuse_moved(self._path)
        refuse_lost_log(self._path)
        db = connect_writer(self._path)
        try:
            self._migrate(db)
            return FileSession(self._path, db, lock, self._who, self._clock)
        except BaseException:
            db.close()
            raise

    def _migrate(self, db: Database) -> None:
        check_pages(db, self._path)
        version = format_version(db, self._path, self._identity, len(self._migrations))
        if version < len(self._migrations):
            check_seal(db, self._path)
            back_up(db, side_file(self._path, f".backup-v{version}"))
            migrate(db, version, self._migrations, self._identity)
