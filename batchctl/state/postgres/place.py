"""A shared state in PostgreSQL: implements Place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.disk.private_files import create_file
from batchctl.model.database_url import DatabaseUrl, parse_database_url
from batchctl.model.state_objects import ABSENT
from batchctl.state.lockfile import Holder
from batchctl.state.moved import marker
from batchctl.state.postgres.held_row import HeldRow, Leases, draw, write_holder
from batchctl.state.postgres.lock_row import LockTable, Row
from batchctl.state.postgres.server import LONG_SECONDS, Link, Server, transaction
from batchctl.state.postgres.tables import read_into
from batchctl.state.shared.kept_lease import lease_clock
from batchctl.state.shared.lease import decide_take
from batchctl.state.shared.place import Found
from batchctl.state.sqlite_errors import state_errors

if TYPE_CHECKING:
    from batchctl.state.postgres.server import Connection

_BUSY = "55P03"
"""The row is locked for longer than a transaction waits: its holder is writing."""


class PostgresPlace:
    """The tables of one schema."""

    def __init__(self, address: str, sleep: Callable[[float], None], leases: Leases | None = None) -> None:
        url: DatabaseUrl = parse_database_url(address)
        self._address = address
        self._sleep = sleep
        self._leases = leases or Leases(lease_clock)
        self._server = Server(url, address)
        self._table = LockTable(url.schema, address)
        self._schema = url.schema
        self._reader = Link(self._server, sleep)
        self._mutex = threading.Lock()

    @property
    def address(self) -> str:
        return self._address

    def close(self) -> None:
        """End the connection for reading."""
        self._reader.close()

    def find(self) -> str:
        row = self._look()
        return ABSENT if row is None else row.generation

    def fetch(self, path: Path) -> str:
        with self._mutex, state_errors(path):
            return self._reader.run(lambda connection: self._fetch(connection, path))

    def look(self) -> Found:
        row = self._look()
        return Found(None, None) if row is None else row.found

    def take(self, holder: Holder, broken: int | None = None) -> HeldRow | Found:
        link = Link(self._server, self._sleep)
        taken: HeldRow | Found | None = None
        try:
            taken = link.run(lambda connection: self._take(connection, link, holder, broken))
        finally:
            if not isinstance(taken, HeldRow):
                link.close()
        return taken

    def _look(self) -> Row | None:
        """The row; None if batchctl has not created its tables."""

        def look(connection: Connection) -> Row | None:
            with transaction(connection) as cursor:
                return self._table.read(cursor) if self._table.exists(cursor) else None

        with self._mutex:
            return self._reader.run(look)

    def _fetch(self, connection: Connection, path: Path) -> str:
        import psycopg

        path.unlink(missing_ok=True)
        connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        try:
            with transaction(connection, LONG_SECONDS) as cursor:
                row = self._table.read(cursor) if self._table.exists(cursor) else None
                if row is None or row.generation == ABSENT:
                    return ABSENT
                if row.moved_to is not None:
                    with create_file(path) as stream:
                        stream.write(marker(row.moved_to))
                else:
                    read_into(cursor, self._schema, path, row.format)
                return row.generation
        finally:
            connection.isolation_level = connection.read_only = None

    def _take(self, connection: Connection, link: Link, holder: Holder, broken: int | None) -> HeldRow | Found:
        import psycopg

        sent = self._leases.clock()
        with transaction(connection) as cursor:
            if not self._table.exists(cursor):
                self._table.create(cursor)
            seen = self._table.read(cursor)
            if decide_take(seen.claim, broken) is None:
                return seen.found
            try:
                with connection.transaction():
                    row = self._table.read(cursor, locks=True)
            except psycopg.errors.LockNotAvailable:
                return seen.found
            way = decide_take(row.claim, broken)
            if way is None:
                return row.found
            write_holder(self._table, cursor, way.epoch, draw(), holder, self._leases)
            held = self._table.read(cursor)
        return HeldRow(self._table, link, self._leases, holder, held, sent)
