"""The tables of a state in PostgreSQL. Their definition is that of the state file, so migrations are written once.

`read_into` copies the tables into a state file, `replace_all` a state file into the tables, `send` single records.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.state.cells import Cell
from batchctl.state.connection import create_file
from batchctl.state.database import Database
from batchctl.state.formats import MIGRATIONS, TABLES
from batchctl.state.migrations import Identity, build
from batchctl.state.postgres.changes import TableChanges

if TYPE_CHECKING:
    from batchctl.state.postgres.server import Cursor

_TYPES = {"TEXT": "text", "INTEGER": "bigint"}
_ESCAPE = "\ufdd0"
"""No character of any text. PostgreSQL stores no NUL, which replies of an API may contain: it is written as this and
`0`, and this itself as this and `1`."""
_MANY = 5000
"""Records in one reply."""
_NOBODY = Identity("", "")


def quoted(schema: str, table: str) -> str:
    """The full name of a table. Names of schemas are plain, see `parse_database_url`."""
    return f'"{schema}"."{table}"'


def create_tables(cursor: Cursor, schema: str) -> None:
    """Create the tables of the newest format."""
    with closing(_model(len(MIGRATIONS))) as model:
        for table in TABLES:
            cursor.execute(_definition(model, schema, table))


def replace_all(cursor: Cursor, schema: str, file: Path) -> int:
    """Replace all tables by those of a state file; returns its format."""
    with closing(Database(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True))) as db:
        present = _columns_there(cursor, schema)
        for table in TABLES:
            columns = _column_names(db, table)
            if not columns:
                cursor.execute(f"DROP TABLE IF EXISTS {quoted(schema, table)}")
                continue
            if present.get(table) == set(columns):
                cursor.execute(f"DELETE FROM {quoted(schema, table)}")  # noqa: S608 - quoted
            else:
                cursor.execute(f"DROP TABLE IF EXISTS {quoted(schema, table)}")
                cursor.execute(_definition(db, schema, table))
            with cursor.copy(f"COPY {quoted(schema, table)} ({_list(columns)}) FROM STDIN") as copy:
                for record in db.execute(f"SELECT {_list(columns)} FROM {table}"):  # noqa: S608 - our own names
                    copy.write_row(_escaped(record))
        found: int = db.execute("SELECT format_version FROM meta").fetchone()[0]
        return found


def empty_all(cursor: Cursor, schema: str) -> None:
    """Delete all records."""
    for table in TABLES:
        cursor.execute(f"DELETE FROM {quoted(schema, table)}")  # noqa: S608 - quoted


def send(cursor: Cursor, schema: str, changes: TableChanges) -> None:
    """Delete and write the changed records of one table."""
    place = quoted(schema, changes.table)
    if changes.deleted:
        where = " AND ".join(f"{_own(column)} = %s" for column in changes.key)
        statement = f"DELETE FROM {place} WHERE {where}"  # noqa: S608 - quoted
        cursor.executemany(statement, [_escaped(record) for record in changes.deleted])
    if changes.present:
        values = ", ".join(["%s"] * len(changes.columns))
        updates = ", ".join(f"{_own(column)} = excluded.{_own(column)}" for column in changes.columns)
        cursor.executemany(
            f"INSERT INTO {place} ({_list(changes.columns)}) VALUES ({values})"  # noqa: S608 - quoted
            f" ON CONFLICT ({_list(changes.key)}) DO UPDATE SET {updates}",
            [_escaped(record) for record in changes.present],
        )


def read_into(cursor: Cursor, schema: str, file: Path, version: int) -> None:
    """Write the tables, of a format, into a new state file. What is wrong with them is found when that is read."""
    create_file(file, MIGRATIONS[:version], _NOBODY)
    # The file is a private copy: if the machine stops, it is of no use.
    with closing(sqlite3.connect(file, isolation_level=None)) as conn:
        conn.execute("PRAGMA synchronous = OFF")
        db = Database(conn)
        db.execute("BEGIN")
        present = _columns_there(cursor, schema)
        for table in _tables_of(version):
            _read_table(cursor, schema, db, table, present.get(table))
        db.execute("COMMIT")


def _read_table(cursor: Cursor, schema: str, db: Database, table: str, columns: set[str] | None) -> None:
    if columns is None:
        db.execute(f"DROP TABLE {table}")
        return
    names = _column_names(db, table)
    if columns != set(names):
        names = sorted(columns)
        db.execute(f"DROP TABLE {table}")
        db.execute(f"CREATE TABLE {table} ({_list(names)})")
    else:
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    wanted = _list(names)
    places = ", ".join("?" * len(names))
    db.conn.executemany(
        f"INSERT INTO {table} ({wanted}) VALUES ({places})",  # noqa: S608 - quoted
        _records(cursor, f"SELECT {wanted} FROM {quoted(schema, table)}"),  # noqa: S608 - quoted
    )


def _records(cursor: Cursor, query: str) -> Iterator[Sequence[object]]:
    with cursor.connection.cursor(name="batchctl_records") as found:
        found.itersize = _MANY
        found.execute(query)
        for record in found:
            yield [_read(value) for value in record]


def _columns_there(cursor: Cursor, schema: str) -> dict[str, set[str]]:
    """The columns of the tables that exist."""
    cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s", [schema])
    found: dict[str, set[str]] = {}
    for table, column in cursor.fetchall():
        found.setdefault(table, set()).add(column)
    return found


def _model(version: int) -> Database:
    """An empty state in memory."""
    model = Database(sqlite3.connect(":memory:", isolation_level=None))
    build(model, MIGRATIONS[:version], _NOBODY)
    return model


def _definition(db: Database, schema: str, table: str) -> str:
    """The statement that creates a table as it is in a state file, without the references between tables.

    Keys are compared byte by byte: other orders change with the server's libraries, which damages indexes.
    """
    columns, key = [], []
    info = 'SELECT name, type, "notnull", pk FROM pragma_table_info(?)'
    for name, kind, not_null, place in db.execute(info, [table]):
        collation = ' COLLATE "C"' if place and kind == "TEXT" else ""
        columns.append(f"{_own(name)} {_TYPES[kind]}{collation}{' NOT NULL' if not_null or place else ''}")
        if place:
            key.append((place, name))
    names = _list([name for _, name in sorted(key)])
    return f"CREATE TABLE {quoted(schema, table)} ({', '.join(columns)}, PRIMARY KEY ({names}))"


def _column_names(db: Database, table: str) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", [table])]


def _tables_of(version: int) -> list[str]:
    return [table for table, since in TABLES.items() if since <= version]


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(_own, names))


def _own(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(record: Sequence[Cell]) -> list[Cell]:
    return [_escape(cell) if isinstance(cell, str) else cell for cell in record]


def _escape(text: str) -> str:
    if "\0" not in text and _ESCAPE not in text:
        return text
    return text.replace(_ESCAPE, f"{_ESCAPE}1").replace("\0", f"{_ESCAPE}0")


def _read(value: object) -> object:
    """A value as the state file has it. Values of other types, which batchctl never writes, become text."""
    if isinstance(value, str):
        return value if _ESCAPE not in value else value.replace(f"{_ESCAPE}0", "\0").replace(f"{_ESCAPE}1", _ESCAPE)
    return value if value is None or (isinstance(value, int) and not isinstance(value, bool)) else str(value)
