"""A connection to a state file, with sqlite-utils for the tables that migrations make and change.

Reading and writing records are plain statements. So sqlite-utils, which takes as long to import as all of the state's
own modules, is imported for migrations only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from sqlite_utils.db import Table


class Database(Struct, frozen=True):
    """An open connection in autocommit mode: transactions begin and end only where this package says so."""

    conn: sqlite3.Connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute one statement."""
        return self.conn.execute(statement, values)

    def execute_each(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute one statement with each of these values."""
        self.conn.executemany(statement, rows)

    def rollback(self) -> None:
        """Roll back the present transaction, if there is one."""
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()

    def table_names(self) -> list[str]:
        """The names of all tables."""
        return [name for (name,) in self.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def table(self, name: str) -> Table:
        """A table of sqlite-utils, to make, inspect or change it."""
        from sqlite_utils import Database as Tables

        return Tables(self.conn, recursive_triggers=False, execute_plugins=False).table(name)
