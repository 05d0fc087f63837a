"""The datasets, tables and rows in the store: what is kept of them, how they are found, made and filled.

Values are kept as Python's own: text, whole numbers, floats, truth values, lists (REPEATED) and mappings (RECORD). A
TIMESTAMP is whole microseconds since 1970, a JSON column any JSON value, every other type its text. How values are
spelled over the wire is told in `values`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from batchctl.emulator.store import Store

_BLOCK = 1000
"""Rows that are read from the store at once while a table is gone through."""


@dataclass(frozen=True)
class Column:
    """One column of a schema, or one field of a RECORD."""

    name: str
    type: str
    """STRING, INTEGER, FLOAT, BOOLEAN, TIMESTAMP, JSON, RECORD, or another type of the service's."""
    mode: str = "NULLABLE"
    """NULLABLE, REQUIRED or REPEATED."""
    fields: tuple[Column, ...] = ()
    """What a RECORD is made of."""
    description: str | None = None

    def resource(self) -> dict[str, Any]:
        """The column on the wire, which is also the stored form."""
        resource: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.fields:
            resource["fields"] = [below.resource() for below in self.fields]
        return resource if self.description is None else {**resource, "description": self.description}


@dataclass(frozen=True)
class Dataset:
    """One dataset as stored. Times in nanoseconds since 1970."""

    project: str
    dataset: str
    location: str
    created: int


@dataclass(frozen=True)
class Table:
    """One table as stored, without its rows. Times in nanoseconds since 1970."""

    seq: int
    """The store's own number: a table that is made anew has another one."""
    project: str
    dataset: str
    table: str
    schema: tuple[Column, ...]
    created: int
    updated: int
    """The last time that rows came or went."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else of the resource the caller gave, such as `description`."""

    @property
    def id(self) -> str:
        """The name that errors and resources tell."""
        return f"{self.project}:{self.dataset}.{self.table}"


def find_dataset(store: Store, project: str, dataset: str) -> Dataset | None:
    """The dataset of that name."""
    sql = "SELECT project, dataset, location, created FROM datasets WHERE project = ? AND dataset = ?"
    found = store.rows(sql, project, dataset)
    return Dataset(*found[0]) if found else None


def add_dataset(store: Store, project: str, dataset: str, now: int, location: str = "US") -> Dataset:
    """Store a new dataset; its name must be free."""
    added = Dataset(project, dataset, location, now)
    store.insert("datasets", vars(added))
    return added


def all_datasets(store: Store, project: str) -> list[Dataset]:
    """The project's datasets by name."""
    sql = "SELECT project, dataset, location, created FROM datasets WHERE project = ? ORDER BY dataset"
    return [Dataset(*row) for row in store.rows(sql, project)]


def remove_dataset(store: Store, dataset: Dataset) -> None:
    """Take the dataset out of the store; its tables must be gone."""
    store.change("DELETE FROM datasets WHERE project = ? AND dataset = ?", dataset.project, dataset.dataset)


_COLUMNS = "seq, project, dataset, name, schema, created, updated, more"


def find_table(store: Store, project: str, dataset: str, table: str) -> Table | None:
    """The table of that name."""
    sql = f"SELECT {_COLUMNS} FROM tables WHERE project = ? AND dataset = ? AND name = ?"  # noqa: S608  own names
    found = store.rows(sql, project, dataset, table)
    return _table(found[0]) if found else None


def all_tables(store: Store, project: str, dataset: str) -> list[Table]:
    """The dataset's tables by name."""
    sql = f"SELECT {_COLUMNS} FROM tables WHERE project = ? AND dataset = ? ORDER BY name"  # noqa: S608  own names
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
    """Store a new, empty table; its dataset must be there and its name free."""
    row: dict[str, object] = {"project": project, "dataset": dataset, "name": table, "created": now, "updated": now}
    row |= {"schema": json.dumps([column.resource() for column in schema]), "more": json.dumps(dict(more or {}))}
    store.insert("tables", row)
    created = find_table(store, project, dataset, table)
    assert created is not None
    return created


def remove_table(store: Store, table: Table) -> None:
    """Take the table out of the store, rows and all."""
    with store.transaction():
        store.change("DELETE FROM table_rows WHERE table_seq = ?", table.seq)
        store.change("DELETE FROM tables WHERE seq = ?", table.seq)


def empty_table(store: Store, table: Table, schema: Sequence[Column]) -> Table:
    """Drop all rows and give the table another schema."""
    with store.transaction():
        store.change("DELETE FROM table_rows WHERE table_seq = ?", table.seq)
        resources = json.dumps([column.resource() for column in schema])
        store.change("UPDATE tables SET schema = ? WHERE seq = ?", resources, table.seq)
    return replace(table, schema=tuple(schema))


def append_rows(store: Store, table: Table, rows: Iterable[Mapping[str, Any]], now: int | None = None) -> int:
    """Add rows at the table's end, each by column name; gives how many. Columns that a row lacks are null in it."""
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
    """How many rows the table has."""
    sql = "SELECT coalesce(max(position) + 1, 0) FROM table_rows WHERE table_seq = ?"
    count: int = store.rows(sql, table.seq)[0][0]
    return count


def read_rows(store: Store, table: Table, start: int = 0) -> Iterator[dict[str, Any]]:
    """The rows from the 0-based position `start` on, each by column name with every column, in the order they came."""
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
