"""The work of a load job: rows from JSON lines into a table, all or none.

Source: bigquery v2, JobConfigurationLoad.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from batchctl.emulator.bigquery.schema import BadSchema, guess_schema
from batchctl.emulator.bigquery.tables import (
    Column,
    Table,
    append_rows,
    count_rows,
    create_table,
    empty_table,
    find_table,
)
from batchctl.emulator.bigquery.values import BadValue, read_row
from batchctl.emulator.json_lines import lines
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject

_MOST_LISTED = 5
"""The maximum number of bad rows that an error lists."""


class LoadFailed(Exception):
    """The job is DONE with this error; `more` are the errors of single rows."""

    def __init__(self, reason: str, message: str, more: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.more = tuple(more)


class Load(Struct, frozen=True):
    """One load, as in its configuration."""

    project: str
    dataset: str
    table: str
    schema: tuple[Column, ...] | None
    autodetect: bool
    write: str
    """WRITE_APPEND, WRITE_TRUNCATE or WRITE_EMPTY."""
    create: bool
    """Whether the table may be created."""
    ignore_unknown: bool
    most_bad: int
    """The number of bad rows that are skipped; one more fails the job."""


class Loaded(Struct, frozen=True):
    """The result of a load."""

    rows: int
    bad: int


def run_load(store: Store, load: Load, source: Callable[[], Iterable[bytes]], now: int) -> Loaded:
    """Load the source, which may be read twice, into the table. Raises LoadFailed, without any change."""
    table = find_table(store, load.project, load.dataset, load.table)
    name = f"{load.project}:{load.dataset}.{load.table}"
    if table is None and not load.create:
        raise LoadFailed("notFound", f"Not found: Table {name}")
    if table is not None and load.write == "WRITE_EMPTY" and count_rows(store, table):
        raise LoadFailed("duplicate", f"Already Exists: Table {name}")
    schema = _schema(load, table, source)
    bad, errors = _bad_rows(load, schema, source())
    if bad > load.most_bad:
        raise LoadFailed("invalid", f"Error while reading data, error message: bad rows: {bad}. {errors[0]}", errors)
    if table is None:
        table = create_table(store, load.project, load.dataset, load.table, schema, now)
    elif load.write == "WRITE_TRUNCATE" or not table.schema:
        table = empty_table(store, table, schema)
    good = (row for row in _rows(load, schema, source()) if not isinstance(row, str))
    return Loaded(append_rows(store, table, good, now), bad)


def _schema(load: Load, table: Table | None, source: Callable[[], Iterable[bytes]]) -> tuple[Column, ...]:
    """The columns for reading the rows. Raises LoadFailed."""
    if table is not None and table.schema and load.write != "WRITE_TRUNCATE":
        kept = {(column.name, column.type, column.mode) for column in table.schema}
        differing = [column.name for column in load.schema or () if (column.name, column.type, column.mode) not in kept]
        if differing:
            raise LoadFailed(
                "invalid", f"Provided Schema does not match Table {table.id}. Field {differing[0]} differs."
            )
        return table.schema
    if load.schema:
        return load.schema
    if load.autodetect:
        values = (_value(line) for line in lines(source()))
        try:
            guessed = guess_schema((value for value in values if isinstance(value, dict)), nested_json=False)
        except BadSchema as bad:
            raise LoadFailed("invalid", str(bad)) from bad
        if guessed:
            return guessed
    if table is not None and table.schema:
        return table.schema
    raise LoadFailed("invalid", "No schema specified on job or table.")


def _bad_rows(load: Load, schema: tuple[Column, ...], source: Iterable[bytes]) -> tuple[int, list[str]]:
    """The number of bad rows, and the errors of the first few."""
    count, errors = 0, []
    for row in _rows(load, schema, source):
        if isinstance(row, str):
            count += 1
            if count <= _MOST_LISTED:
                errors.append(row)
    return count, errors


def _rows(load: Load, schema: tuple[Column, ...], source: Iterable[bytes]) -> Iterator[Mapping[str, Any] | str]:
    """The row of every line, or its error."""
    for position, line in enumerate(lines(source)):
        try:
            yield read_row(schema, _value(line), json_text=False, ignore_unknown=load.ignore_unknown)
        except BadValue as bad:
            yield f"Row {position + 1}: {bad.message}"


def _value(line: bytes) -> object:
    """The JSON value of the line; None, which is not a row, if the line is invalid."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def error_resource(reason: str, message: str) -> JsonObject:
    """An error inside a job."""
    return {"reason": reason, "message": message}
