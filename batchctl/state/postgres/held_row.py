"""The lock of a state in PostgreSQL while this process holds it, and its door for writes.

Each write is a transaction that first locks the row and finds itself in it. A process that takes the lock over changes
the same row, so no write of a former holder comes later. A COMMIT whose reply was lost has the row until it is done:
the next transaction waits for it, and the version in the row says whether it was written.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from batchctl.model.errors import StateError
from batchctl.state.formats import MIGRATIONS
from batchctl.state.lockfile import Holder
from batchctl.state.moved import moved_to
from batchctl.state.postgres.changes import Changes
from batchctl.state.postgres.lock_row import LockTable, Row
from batchctl.state.postgres.server import LONG_SECONDS, PAUSES, SILENCE_SECONDS, Link, is_direct, transaction
from batchctl.state.postgres.tables import empty_all, replace_all, send
from batchctl.state.session import FileSession
from batchctl.state.shared.errors import naming
from batchctl.state.shared.kept_lease import KeptLease
from batchctl.state.shared.lease import Lease
from batchctl.state.sqlite_errors import state_errors

if TYPE_CHECKING:
    from batchctl.state.postgres.server import Connection, Cursor

_TOKEN_BYTES = 12


class Leases(Struct, frozen=True):
    """The two lengths of a lease, and the clock of its holder."""

    clock: Callable[[], float]
    connected: float = 20.0
    """Seconds for which others wait for a holder whose connection is open: it may be suspended."""
    alone: Lease = Lease(8.0)
    """For a holder without a connection. It acts by this one, which is never longer."""


def draw() -> str:
    """A random name, of a holding or of a version."""
    return secrets.token_hex(_TOKEN_BYTES)


def write_holder(table: LockTable, cursor: Cursor, epoch: int, holding: str, holder: Holder, leases: Leases) -> None:
    """Write a holder into the locked row, with the advisory lock of its epoch if the session is its own."""
    guarded = is_direct(cursor.connection) and table.guard(cursor, epoch)
    table.hold(cursor, epoch, holding, holder, (leases.connected, leases.alone.seconds), guarded=guarded)


class HeldRow(KeptLease):
    """Implements Held over the row. One connection is for the lock, its renewals and all writes."""

    must_fence = False

    def __init__(self, table: LockTable, link: Link, leases: Leases, holder: Holder, row: Row, sent: float) -> None:
        self.epoch = row.epoch
        self._table = table
        self._link = link
        self._leases = leases
        self._holder = holder
        self._row = row
        self._opened = link.opened
        self._changes: Changes | None = None
        """None: the tables are to be replaced as a whole."""
        self._versions = {row.generation}
        """The versions that the tables may have: that of the last commit, and those whose commit had no reply."""
        super().__init__(link.server.address, leases.alone, leases.clock, sent)

    def confirm(self) -> None:
        with self._mutex:
            self._require_ours()
            self._fenced(lambda _cursor: None)

    def begin(self, inner: FileSession) -> None:
        if self._row.format == len(MIGRATIONS) and self._row.moved_to is None:
            self._changes = Changes(inner.database)

    def push(self, inner: FileSession, copy: Path, expected: str) -> str | None:
        if self._changes is None or self._changes.are_most():
            snapshot = copy.with_name("sent.db")
            with naming(self._address, copy):
                inner.copy_to(snapshot)
            try:
                generation = self.replace(snapshot, expected)
            finally:
                snapshot.unlink()
            if generation is not None and self._changes is None:
                self._changes = Changes(inner.database)
        else:
            with naming(self._address, copy), state_errors(copy):
                changes = list(self._changes.read())

            def write(cursor: Cursor) -> int:
                for change in changes:
                    send(cursor, self._link.server.url.schema, change)
                return len(MIGRATIONS)

            generation = self._write(write, expected)
        if generation is not None and self._changes is not None:
            self._changes.clear()
        return generation

    def replace(self, file: Path, expected: str) -> str | None:
        schema, place = self._link.server.url.schema, moved_to(file)
        if place is None:
            return self._write(lambda cursor: replace_all(cursor, schema, file), expected, seconds=LONG_SECONDS)

        def leave(cursor: Cursor) -> int:
            empty_all(cursor, schema)
            return self._row.format

        return self._write(leave, expected, place)

    def keep(self, suffix: str, file: Path) -> None:
        content = file.read_bytes()
        with self._mutex:
            self._require_ours()
            self._fenced(lambda cursor: self._table.keep(cursor, suffix.lstrip("."), content))

    def copy_name(self, suffix: str) -> str:
        return f"{suffix.lstrip('.')} in the table copies of {self._address}"

    def release(self) -> None:
        """Stop the renewals, free the lock if this process still has it, and end the connection."""
        self._stop()
        with self._mutex:
            if self._lost is None:
                # On an error, the lease ends by itself, and the work of this process is done.
                with suppress(StateError):
                    self._link.run(self._free, ())
            self._link.close()

    def abandon(self) -> None:
        """Stop the renewals, and end the connection: then the lease is the shorter one."""
        self._stop()
        with self._mutex:
            self._link.close()

    def _free(self, connection: Connection) -> None:
        with transaction(connection) as cursor:
            self._table.free(cursor, self._holding)

    @property
    def _holding(self) -> str:
        assert self._row.holding is not None
        return self._row.holding

    def _renew(self) -> None:
        self._fenced(lambda _cursor: None, pauses=())

    def _renew_patiently(self) -> None:
        self._fenced(lambda _cursor: None)

    def _write(
        self,
        write: Callable[[Cursor], int],
        expected: str,
        moved: str | None = None,
        seconds: float = SILENCE_SECONDS,
    ) -> str | None:
        """Change the tables, whose format `write` returns; None if `expected` is not the version that they have."""
        generation = draw()

        def change(cursor: Cursor) -> None:
            self._table.set_version(cursor, generation, write(cursor), moved)
            self._versions.add(generation)

        with self._mutex:
            self._require_ours()
            if expected not in self._versions:
                return None
            self._fenced(change, seconds=seconds)
            self._versions = {generation}
        return generation

    def _fenced(
        self, work: Callable[[Cursor], None], pauses: Sequence[float] = PAUSES, seconds: float = SILENCE_SECONDS
    ) -> None:
        """Do work in a transaction that only the holder of the lock gets, and renew the lease. Raises StateError.

        The work may be done again: a lost connection leaves open whether its COMMIT arrived.
        """

        def run(connection: Connection) -> None:
            sent = self._clock()
            with transaction(connection, seconds) as cursor:
                row = self._table.read(cursor, locks=True)
                if row.holding != self._holding:
                    raise self._lose()
                if row.generation not in self._versions:
                    raise self._lose(
                        "the server has another version than this run wrote: a standby that lags took over"
                    )
                epoch = row.epoch
                if self._link.opened != self._opened:
                    # The advisory lock of the former connection may not have ended yet.
                    epoch += 1
                    write_holder(self._table, cursor, epoch, self._holding, self._holder, self._leases)
                work(cursor)
                self._table.renew(cursor, epoch, self._holding)
            self.epoch, self._opened, self._sent = epoch, self._link.opened, sent

        self._link.run(run, pauses)
