"""The datasets, tables and rows in the store: what is stored, and functions to find, create and fill them.

Values are stored as Python's types: text, integers, floats, booleans, lists (REPEATED) and mappings (RECORD). A
TIMESTAMP is integer microseconds since 1970, a JSON column any JSON value, every other type its text. `values` converts
them from and to the wire.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from batchctl.emulator.store import Store

_BLOCK = 1000
"""The number of rows that are read from the store at once."""


class Column(Struct, frozen=True):
    """One column of a schema, or one field of a RECORD."""

    name: str
    type: str
    """STRING, INTEGER, FLOAT, BOOLEAN, TIMESTAMP, JSON, RECORD, or another type of the service."""
    mode: str = "NULLABLE"
    """NULLABLE, REQUIRED or REPEATED."""
    fields: tuple[Column, ...] = ()
    """The fields of a RECORD."""
    description: str | None = None

    def resource(self) -> dict[str, Any]:
        """The column on the wire, which is also the stored form."""
        resource: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.fields:
            resource["fields"] = [below.resource() for below in self.fields]
        return resource if self.description is None else {**resource, "description": self.description}


class Dataset(Struct, frozen=True):
    """One dataset as stored. Times are in nanoseconds since 1970."""

    project: str
    dataset: str
    location: str
    created: int


class Table(Struct, frozen=True):
    """One table as stored, without its rows. Times are in nanoseconds since 1970."""

    seq: int
    """The number in the store: a table that is deleted and created again has another one."""
    project: str
    dataset: str
    table: str
    schema: tuple[Column, ...]
    created: int
    updated: int
    """The time of the last change of the rows."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of the resource that the caller gave, such as `description`."""

    @property
    def id(self) -> str:
        """The name in errors and resources."""
        return f"{self.project}:{self.dataset}.{self.table}"


def find_dataset(store: Store, project: str, dataset: str) -> Dataset | None:
    """The dataset of this name."""
    sql = "SELECT project, dataset, location, created FROM datasets WHERE project = ? AND dataset = ?"
    found = store.rows(sql, project, dataset)
    return Dataset(*found[0]) if found else None


def add_dataset(store: Store, project: str, dataset: str, now: int, location: str = "US") -> Dataset:
    """Store a new dataset; its name must be free."""
    added = Dataset(project, dataset, location, now)
    store.insert("datasets", asdict(added))
    return added


def all_datasets(store: Store, project: str) -> list[Dataset]:
    """The project's datasets by name."""
    sql = "SELECT project, dataset, location, created FROM datasets WHERE project = ? ORDER BY dataset"
    return [Dataset(*row) for row in store.rows(sql, project)]


def remove_dataset(store: Store, dataset: Dataset) -> None:
    """Delete the dataset, which must be empty."""
    store.change("DELETE FROM datasets WHERE project = ? AND dataset = ?", dataset.project, dataset.dataset)


_COLUMNS = "seq, project, dataset, name, schema, created, updated, more"


def find_table(store: Store, project: str, dataset: str, table: str) -> Table | None:
    """The table of this name."""
    sql = f"SELECT {_COLUMNS} FROM tables WHERE project = ? AND dataset = ? AND name = ?"  # noqa: S608  constants
    found = store.rows(sql, project, dataset, table)
    return _table(found[0]) if found else None


def all_tables(store: Store, project: str, dataset: str) -> list[Table]:
    """The dataset's tables by name."""
    sql = f"SELECT {_COLUMNS} FROM tables WHERE project = ? AND dataset = ? ORDER BY name"  # noqa: S608  constants
    return [_table(row) for row in store.rows(sql, project, dataset)]


def create_table(
    store: Store,
    project: str,
    dataset: str,
    table: str,
    schema: Sequence[Column],
    now: int,
    more: Mapping[str, Any] | None = None,
) -> Table:
    """Store a new, empty table; its dataset must exist and its name must be free."""
    row: dict[str, object] = {"project": project, "dataset": dataset, "name": table, "created": now, "updated": now}
    row |= {"schema": json.dumps([column.resource() for column in schema]), "more": json.dumps(dict(more or {}))}
    store.insert("tables", row)
    created = find_table(store, project, dataset, table)
    assert created is not None
    return created


def remove_table(store: Store, table: Table) -> None:
    """Delete the table with its rows."""
    with store.transaction():
        store.change("DELETE FROM table_rows WHERE table_seq = ?", table.seq)
        store.change("DELETE FROM tables WHERE seq = ?", table.seq)


def empty_table(store: Store, table: Table, schema: Sequence[Column]) -> Table:
    """Delete all rows and replace the schema."""
    with store.transaction():
        store.change("DELETE FROM table_rows WHERE table_seq = ?", table.seq)
        resources = json.dumps([column.resource() for column in schema])
        store.change("UPDATE tables SET schema = ? WHERE seq = ?", resources, table.seq)
    return replace(table, schema=tuple(schema))


def append_rows(store: Store, table: Table, rows: Iterable[Mapping[str, Any]], now: int | None = None) -> int:
    """Append rows, each by column name; returns their number. Columns that a row lacks are null."""
    names = [column.name for column in table.schema]
    with store.transaction():
        first = count_rows(store, table)
        position = first
        for row in rows:
            values = [row.get(name) for name in names]
            store.change("INSERT INTO table_rows VALUES (?, ?, ?)", table.seq, position, json.dumps(values))
            position += 1
        updated = store.now() if now is None else now
        store.change("UPDATE tables SET updated = ? WHERE seq = ?", updated, table.seq)
    return position - first


def count_rows(store: Store, table: Table) -> int:
    """The number of rows in the table."""
    sql = "SELECT coalesce(max(position) + 1, 0) FROM table_rows WHERE table_seq = ?"
    count: int = store.rows(sql, table.seq)[0][0]
    return count


def read_rows(store: Store, table: Table, start: int = 0) -> Iterator[dict[str, Any]]:
    """The rows from the 0-based position `start` on, in the order of insertion, each with all columns."""
    names = [column.name for column in table.schema]
    sql = "SELECT data FROM table_rows WHERE table_seq = ? AND position >= ? ORDER BY position LIMIT ?"
    while found := store.rows(sql, table.seq, start, _BLOCK):
        for (data,) in found:
            yield dict(zip(names, json.loads(data), strict=True))
        start += len(found)


def column_of(resource: Mapping[str, Any]) -> Column:
    """The column of a stored resource."""
    below = tuple(map(column_of, resource.get("fields", ())))
    return Column(resource["name"], resource["type"], resource["mode"], below, resource.get("description"))


def _table(row: tuple[Any, ...]) -> Table:
    seq, project, dataset, name, schema, created, updated, more = row
    columns = tuple(map(column_of, json.loads(schema)))
    return Table(seq, project, dataset, name, columns, created, updated, json.loads(more))
