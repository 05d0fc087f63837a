"""The one row that says who may write to a state, in which epoch, and which version the tables have.

All times are the server's. Each statement names its table in full, because a pooler may change the session.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError
from batchctl.model.state_objects import ABSENT
from batchctl.state.cells import read_object
from batchctl.state.lockfile import Holder, holder_of
from batchctl.state.postgres.tables import create_tables, quoted
from batchctl.state.shared.lease import Claim
from batchctl.state.shared.place import Found

if TYPE_CHECKING:
    from batchctl.state.postgres.server import Cursor

LAYOUT = 1
"""The version of this row's columns."""
_COLUMNS = (
    "layout, epoch, holding, holder, seconds_connected, seconds_alone, generation, format, moved_to,"
    " extract(epoch FROM clock_timestamp() - renewed)::double precision"
)
_MOST_EPOCHS = 2**31
_GUARD_BYTES = 4


class Row(Struct, frozen=True):
    """The row as it was read."""

    layout: int
    epoch: int
    holding: str | None
    """Drawn by each holder; None: the lock is free."""
    holder: str | None
    """JSON for people."""
    seconds_connected: float
    """The length of the lease while the holder's connection is open, or nothing is known about it."""
    seconds_alone: float
    """The length after the connection has ended."""
    generation: str
    """The version of the tables: drawn by each commit; ABSENT if there is no state."""
    format: int
    """The format of the tables."""
    moved_to: str | None
    """The new place of the state, if it was moved away."""
    age: float
    """Seconds since the last renewal."""
    is_alone: bool = False
    """Whether the holder's connection has ended."""

    @property
    def claim(self) -> Claim:
        if self.holding is None:
            return Claim(self.epoch, None)
        return Claim(self.epoch, self.seconds_alone if self.is_alone else self.seconds_connected, self.age)

    @property
    def found(self) -> Found:
        named = None
        if self.holding is not None and self.holder is not None:
            named = holder_of(read_object(self.holder), self.epoch)
        return Found(self.claim, named)


class LockTable:
    """The statements on the row of one schema."""

    def __init__(self, schema: str, address: str) -> None:
        self._schema = schema
        self._address = address
        self._table = quoted(schema, "lock")
        digest = hashlib.sha256(b"batchctl " + schema.encode()).digest()
        self._guard = int.from_bytes(digest[:_GUARD_BYTES], "big", signed=True)
        """The first key of this state's advisory locks; the second is the epoch."""

    def exists(self, cursor: Cursor) -> bool:
        """Whether batchctl has created its tables."""
        # Not by to_regclass: it remembers that a schema was missing, and does not see what another process created.
        query = "SELECT 1 FROM pg_class WHERE relname = 'lock' AND relnamespace = ({})"
        namespace = "SELECT oid FROM pg_namespace WHERE nspname = %s"
        return cursor.execute(query.format(namespace), [self._schema]).fetchone() is not None

    def read(self, cursor: Cursor, *, locks: bool = False) -> Row:
        """Read the row; `locks`: keep others from changing it until the transaction ends.

        Raises StateError (`StateTooNew`, `StateCorrupt`).
        """
        suffix = " FOR UPDATE" if locks else ""
        record = cursor.execute(f"SELECT {_COLUMNS}, is_guarded FROM {self._table}{suffix}").fetchone()  # noqa: S608 - quoted
        if record is None:
            raise StateError(
                f"the state {self._address} is corrupt: table lock has no record",
                code=ErrorCode.STATE_CORRUPT,
                hint="restore a backup of the schema, or name another one with ?schema=NAME",
            )
        *values, is_guarded = record
        row = Row(*values)
        if row.layout > LAYOUT:
            raise StateError(
                f"the state {self._address} was written by a newer batchctl",
                code=ErrorCode.STATE_TOO_NEW,
                hint="upgrade batchctl",
            )
        if row.holding is None or not is_guarded or not self._is_unguarded(cursor, row.epoch):
            return row
        return replace(row, is_alone=True)

    def _is_unguarded(self, cursor: Cursor, epoch: int) -> bool:
        """Whether no session has the advisory lock of an epoch. Another server, such as a standby, cannot know."""
        query = "SELECT CASE WHEN pg_is_in_recovery() THEN false ELSE pg_try_advisory_xact_lock(%s, %s) END"
        found = cursor.execute(query, [self._guard, epoch % _MOST_EPOCHS]).fetchone()
        return found is not None and bool(found[0])

    def guard(self, cursor: Cursor, epoch: int) -> bool:
        """Take the advisory lock of an epoch, which ends with the connection."""
        found = cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [self._guard, epoch % _MOST_EPOCHS]).fetchone()
        return found is not None and bool(found[0])

    def hold(
        self, cursor: Cursor, epoch: int, holding: str, holder: Holder, seconds: tuple[float, float], *, guarded: bool
    ) -> None:
        """Write a holder. `seconds`: the lease while connected, and alone."""
        cursor.execute(
            f"UPDATE {self._table} SET epoch = %s, holding = %s, holder = %s, seconds_connected = %s,"  # noqa: S608 - quoted
            " seconds_alone = %s, is_guarded = %s, renewed = clock_timestamp()",
            [epoch, holding, json.dumps(holder.as_json()), *seconds, guarded],
        )

    def renew(self, cursor: Cursor, epoch: int, holding: str) -> bool:
        """Begin the lease again; False if another process has the lock."""
        cursor.execute(
            f"UPDATE {self._table} SET renewed = clock_timestamp() WHERE epoch = %s AND holding = %s",  # noqa: S608 - quoted
            [epoch, holding],
        )
        return cursor.rowcount == 1

    def free(self, cursor: Cursor, holding: str) -> None:
        """Release the lock, unless another process has it."""
        cursor.execute(
            f"UPDATE {self._table} SET holding = NULL, holder = NULL, is_guarded = false WHERE holding = %s",  # noqa: S608 - quoted
            [holding],
        )

    def set_version(self, cursor: Cursor, generation: str, version: int, moved_to: str | None = None) -> None:
        """Write the version of the tables."""
        cursor.execute(
            f"UPDATE {self._table} SET generation = %s, format = %s, moved_to = %s",  # noqa: S608 - quoted
            [generation, version, moved_to],
        )

    def keep(self, cursor: Cursor, name: str, content: bytes) -> None:
        """Keep a copy of the state under a name, unless there is one."""
        cursor.execute(
            f"INSERT INTO {quoted(self._schema, 'copies')} (name, time, content) VALUES (%s, clock_timestamp(), %s)"  # noqa: S608 - quoted
            " ON CONFLICT (name) DO NOTHING",
            [name, content],
        )

    def create(self, cursor: Cursor) -> None:
        """Create the schema if it is missing, and the tables in it. Raises StateError for a schema that is in use."""
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [self._guard])
        if self.exists(cursor):
            return
        schema = f'"{self._schema}"'
        cursor.execute("SELECT oid FROM pg_namespace WHERE nspname = %s", [self._schema])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(f"CREATE SCHEMA {schema}")
        else:
            self._require_empty(cursor, found[0])
        cursor.execute(
            f"CREATE TABLE {self._table} (id integer PRIMARY KEY CHECK (id = 1), layout integer NOT NULL,"
            " epoch bigint NOT NULL, holding text, holder text, is_guarded boolean NOT NULL,"
            " seconds_connected double precision NOT NULL, seconds_alone double precision NOT NULL,"
            " renewed timestamptz NOT NULL, generation text NOT NULL, format integer NOT NULL, moved_to text)"
        )
        cursor.execute(
            f"INSERT INTO {self._table} VALUES (1, %s, 0, NULL, NULL, false, 0, 0, clock_timestamp(), %s, 0, NULL)",  # noqa: S608 - quoted
            [LAYOUT, ABSENT],
        )
        cursor.execute(
            f"CREATE TABLE {quoted(self._schema, 'copies')}"
            " (name text PRIMARY KEY, time timestamptz NOT NULL, content bytea NOT NULL)"
        )
        create_tables(cursor, self._schema)

    def _require_empty(self, cursor: Cursor, schema: int) -> None:
        found = cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s AND relkind IN ('r', 'p', 'v', 'm', 'f') LIMIT 1",
            [schema],
        ).fetchone()
        if found is not None:
            raise StateError(
                f"the schema {self._schema} of {self._address} has tables of something else, such as {found[0]}",
                code=ErrorCode.STATE_FOREIGN,
                hint="name a schema of the state's own with ?schema=NAME",
            )
