"""Which records of a copy a session changes: SQLite notes their keys itself, by temporary triggers.

So no writer has to say what it changes, and deletions by foreign keys are noted too. Temporary tables and triggers
belong to the connection; they are not in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from batchctl.state.cells import Cell
from batchctl.state.database import Database
from batchctl.state.formats import TABLES

_MANY = 1000


class TableChanges(Struct, frozen=True):
    """The changed records of one table."""

    table: str
    key: Sequence[str]
    columns: Sequence[str]
    deleted: Sequence[Sequence[Cell]]
    """Keys of records that are gone."""
    present: Sequence[Sequence[Cell]]
    """Records that are new or have new values."""


class Changes:
    """The changes since `clear`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._keys = {table: key_columns(db, table) for table in TABLES}
        db.execute("PRAGMA temp_store = MEMORY")
        for table, key in self._keys.items():
            self._watch(table, key)

    def count(self) -> int:
        """The number of changes; a record that changed twice counts twice."""
        return sum(self._number(f"temp.changed_{table}") for table in self._keys)

    def are_most(self) -> bool:
        """Whether so many records changed that it is faster to send all."""
        count = self.count()
        return count > _MANY and 2 * count > sum(self._number(f"main.{table}") for table in self._keys)

    def read(self) -> Iterator[TableChanges]:
        """The changes, of each table that has some."""
        for table, key in self._keys.items():
            names = ", ".join(key)
            changed = f"SELECT DISTINCT {names} FROM temp.changed_{table}"  # noqa: S608 - our own names
            deleted = self._db.execute(f"{changed} EXCEPT SELECT {names} FROM main.{table}").fetchall()  # noqa: S608
            found = self._db.execute(f"SELECT found.* FROM main.{table} found JOIN ({changed}) USING ({names})")  # noqa: S608
            columns, present = [column[0] for column in found.description], found.fetchall()
            if deleted or present:
                yield TableChanges(table, key, columns, deleted, present)

    def clear(self) -> None:
        """Begin again: all changes were sent."""
        for table in self._keys:
            self._db.execute(f"DELETE FROM temp.changed_{table}")  # noqa: S608 - our own names

    def _watch(self, table: str, key: Sequence[str]) -> None:
        names = ", ".join(key)
        self._db.execute(f"CREATE TEMP TABLE changed_{table} ({names})")
        for event, records in (("INSERT", ("new",)), ("UPDATE", ("old", "new")), ("DELETE", ("old",))):
            notes = "".join(
                f"INSERT INTO changed_{table} VALUES ({', '.join(f'{record}.{column}' for column in key)}); "  # noqa: S608
                for record in records
            )
            self._db.execute(
                f"CREATE TEMP TRIGGER {event.lower()}_{table} AFTER {event} ON main.{table} BEGIN {notes}END"
            )

    def _number(self, table: str) -> int:
        found: int = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
        return found


def key_columns(db: Database, table: str) -> list[str]:
    """The columns of a table's primary key, in order."""
    rows = db.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [table])
    return [name for (name,) in rows]
