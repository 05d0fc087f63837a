"""Loads the datasets and tables of a seed. The format is `schemas/emulator-seed.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from batchctl.emulator.bigquery.definitions import DATASET_NAME, TABLE_NAME
from batchctl.emulator.bigquery.schema import BadSchema, guess_schema, read_schema
from batchctl.emulator.bigquery.tables import (
    Column,
    add_dataset,
    append_rows,
    create_table,
    find_dataset,
    find_table,
)
from batchctl.emulator.bigquery.values import BadValue, read_row
from batchctl.emulator.schemas import Invalid
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject


def load_datasets(store: Store, names: Iterable[str], place: str) -> None:
    """Load the datasets (`project.dataset`) whose names are free. Raises Invalid with the place."""
    for position, name in enumerate(names):
        project, _, dataset = name.rpartition(".")
        _keep_dataset(store, project, dataset, f"{place}[{position}]")


def load_tables(store: Store, tables: JsonObject, place: str) -> None:
    """Load the tables (`project.dataset.table`) whose names are free, and their datasets. Raises Invalid."""
    for name, given in tables.items():
        where, (parent, _, table) = f"{place}.{name}", name.rpartition(".")
        project, _, dataset = parent.rpartition(".")
        _keep_dataset(store, project, dataset, where)
        if not TABLE_NAME.fullmatch(table):
            raise Invalid(f"{where}: {table!r} is not the name of a table")
        if find_table(store, project, dataset, table) is None:
            # Through JSON, so that the rows are the same as those that a caller could send.
            rows = json.loads(json.dumps((given or {}).get("rows", [])))
            columns = _columns(given or {}, rows, where)
            read = [_row(columns, row, f"{where}.rows[{at}]") for at, row in enumerate(rows)]
            append_rows(store, create_table(store, project, dataset, table, columns, store.now()), read)


def _keep_dataset(store: Store, project: str, dataset: str, place: str) -> None:
    if not project or not DATASET_NAME.fullmatch(dataset):
        raise Invalid(f"{place}: must be a project and a dataset with a dot between them")
    if find_dataset(store, project, dataset) is None:
        add_dataset(store, project, dataset, store.now())


def _columns(given: JsonObject, rows: list[JsonObject], place: str) -> tuple[Column, ...]:
    """The given columns, or those of the rows; objects and lists then become JSON columns."""
    try:
        return read_schema(given["schema"]) if "schema" in given else guess_schema(rows, nested_json=True)
    except BadSchema as bad:
        raise Invalid(f"{place}.schema: {bad}") from bad


def _row(columns: tuple[Column, ...], row: JsonObject, place: str) -> JsonObject:
    try:
        return read_row(columns, row, json_text=False)
    except BadValue as bad:
        raise Invalid(f"{place}: {bad.message}") from bad
