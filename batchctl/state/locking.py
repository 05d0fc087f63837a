"""The state file under its lock: it is taken, made or migrated, and replaced as a whole.

Commands that look never load this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder, sync_folder
from batchctl.disk.safe_open import is_there
from batchctl.model.errors import LockedError
from batchctl.model.ports.surroundings import Clock
from batchctl.model.recorded import Recorded
from batchctl.model.writes import Write
from batchctl.state.connection import back_up, connect_writer, create_file, has_content, put_aside, side_file
from batchctl.state.database import Database
from batchctl.state.formats import Migration
from batchctl.state.lockfile import Holder, LockFile, lock_holder, read_holder, take_lock, this_process
from batchctl.state.log import refuse_lost_log
from batchctl.state.migrations import Identity, migrate
from batchctl.state.moved import marker, moved_to, refuse_moved
from batchctl.state.networks import refuse_network_file_system
from batchctl.state.session import FileSession, break_sessions
from batchctl.state.snapshot import check_seal, format_version
from batchctl.state.sqlite_errors import corrupt, state_errors
from batchctl.state.whole_state import check_pages, require_same, write_once

POLL_SECONDS = 0.5
"""The seconds between two tries to take the lock."""


class Locking(Struct, frozen=True):
    """Locks one state file. See `open_state` for the values."""

    path: Path
    identity: Identity
    clock: Clock
    who: str
    lock_timeout: float
    on_wait: Callable[[str], None] | None
    migrations: Sequence[Migration]

    @property
    def lock_path(self) -> Path:
        """The lock file."""
        return side_file(self.path, ".lock")

    def lock(self, *, over_marker: bool = False) -> FileSession:
        """Take the lock for one pass. `over_marker`: begin a new state where another one was moved away."""
        with self._locked_folder() as lock:
            try:
                if over_marker and moved_to(self.path) is not None:
                    self.path.unlink()
                return self._open_session(lock)
            except BaseException:
                lock.release()
                raise

    def rewrite(self, writes: Sequence[Write], former: Recorded, read_former: Callable[[], Recorded]) -> Path | None:
        """Replace the file with one that contains only these writes; returns the new name of the old file, if any.

        The old file may be damaged, and is renamed together with its log. It must be as `read_former` found it: the
        writes do not contain later changes by other processes. Raises LockedError, GuardError and StateError.
        """
        with self._locked_folder() as lock:
            try:
                present = read_former()
                require_same(self.path, present, former)
                new = side_file(self.path, ".rebuilt")
                for left_over in (new, side_file(new, "-wal"), side_file(new, "-shm")):
                    left_over.unlink(missing_ok=True)
                create_file(new, self.migrations, self.identity)
                write_once(new, writes, self.who)
                aside = side_file(self.path, f".corrupt-{self.clock.now():%Y%m%dT%H%M%SZ}")
                found = put_aside(self.path, aside)
                new.replace(self.path)
                sync_folder(self.path.parent)
            finally:
                lock.release()
        return aside if found else None

    def leave(self, to: str, former: Recorded, load: Callable[[], Recorded], copy_to: Callable[[Path], None]) -> Path:
        """Leave a marker that names the new place; returns the copy of the state that stays here.

        Raises StateError (`StateBusy`) if the state is no longer the one that was copied.
        """
        with self._locked_folder() as lock:
            try:
                require_same(self.path, load(), former)
                kept = side_file(self.path, f".migrated-{self.clock.now():%Y%m%dT%H%M%SZ}")
                copy_to(kept)
                with replace_file(self.path) as stream:
                    stream.write(marker(to))
                for suffix in ("-wal", "-shm"):
                    side_file(self.path, suffix).unlink(missing_ok=True)
            finally:
                lock.release()
        return kept

    def holder(self) -> Holder | None:
        """The holder of the lock; None if it is free. Raises StateError."""
        with state_errors(self.lock_path):
            return lock_holder(self.lock_path)

    def break_lock(self) -> Holder | None:
        """Take the lock from its holder, which can no longer commit. Returns that holder.

        The epoch is raised first. In the other order, another process could take the free lock and be broken instead.
        """
        holder = self.holder()
        with state_errors(self.path):
            if is_there(self.path):
                break_sessions(self.path)
            self.lock_path.unlink(missing_ok=True)
        return holder

    @contextmanager
    def _locked_folder(self) -> Iterator[LockFile]:
        with state_errors(self.path):
            folder = self.path.parent
            refuse_network_file_system(folder)
            make_folder(folder)
            yield self._take_lock()

    def _take_lock(self) -> LockFile:
        holder = this_process(self.who, self.clock.now())
        # Tries are counted, not timed: a sleep that a signal ends early must not become a busy loop.
        polls = int(self.lock_timeout / POLL_SECONDS)
        for poll in range(polls):
            lock = take_lock(self.lock_path, holder)
            if lock is not None:
                return lock
            if poll == 0 and self.on_wait is not None:
                self.on_wait(self._held_by())
            self.clock.sleep(POLL_SECONDS)
        lock = take_lock(self.lock_path, holder)
        if lock is None:
            raise self._locked()
        return lock

    def _held_by(self) -> str:
        holder = read_holder(self.lock_path)
        return holder.words if holder else "another process"

    def _locked(self) -> LockedError:
        holder = read_holder(self.lock_path)
        return LockedError(
            f"the state file {self.path} is locked by {self._held_by()}",
            hint="wait until it ends, or stop it; if it hangs, break the lock with `batchctl state lock break`",
            details=holder.as_json() if holder else {},
        )

    def _open_session(self, lock: LockFile) -> FileSession:
        if not is_there(self.path):
            create_file(self.path, self.migrations, self.identity)
        elif not has_content(self.path):
            # batchctl's files are never empty, so this one was truncated; SQLite would initialise it again.
            raise corrupt(self.path, "it is empty")
        refuse_moved(self.path)
        refuse_lost_log(self.path)
        db = connect_writer(self.path)
        try:
            self._migrate(db)
            return FileSession(self.path, db, lock, self.who, self.clock)
        except BaseException:
            db.close()
            raise

    def _migrate(self, db: Database) -> None:
        check_pages(db, self.path)
        version = format_version(db, self.path, self.identity, len(self.migrations))
        if version < len(self.migrations):
            check_seal(db, self.path)
            back_up(db, side_file(self.path, f".backup-v{version}"))
            migrate(db, version, self.migrations, self.identity)
