"""The calls on datasets and tables, without their rows. Source: bigquery v2, `datasets` and `tables`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from batchctl.emulator.bigquery.resources import (
    dataset_resource,
    kept_fields,
    millis,
    refused,
    require_dataset,
    require_table,
    table_reference,
    table_resource,
)
from batchctl.emulator.bigquery.schema import BadSchema, read_schema
from batchctl.emulator.bigquery.tables import (
    add_dataset,
    all_datasets,
    all_tables,
    create_table,
    find_dataset,
    find_table,
    remove_dataset,
    remove_table,
)
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.media import read_resource
from batchctl.emulator.older_apis import flag, max_results, page_token, read_token
from batchctl.emulator.wire import JsonObject, Response

DATASET_NAME = re.compile(r"\w{1,1024}")
TABLE_NAME = re.compile(r"[\w -]{1,1024}")
_PAGE_SIZE = 50
_MOST_PER_PAGE = 1000
_Named = TypeVar("_Named")


def get_dataset(exchange: Exchange) -> JsonObject:
    """The dataset's resource."""
    return dataset_resource(exchange, require_dataset(exchange))


def insert_dataset(exchange: Exchange) -> JsonObject:
    """Create a dataset."""
    given, project = read_resource(exchange.request.body), exchange.params["project"]
    name = _id(given, "datasetReference", "datasetId", DATASET_NAME)
    if find_dataset(exchange.store, project, name):
        raise refused(409, f"Already Exists: Dataset {project}:{name}", "duplicate")
    dataset = add_dataset(exchange.store, project, name, exchange.now, str(given.get("location") or "US"))
    return dataset_resource(exchange, dataset)


def list_datasets(exchange: Exchange) -> JsonObject:
    """One page of the project's datasets by name; an empty list is left out."""
    datasets = all_datasets(exchange.store, exchange.params["project"])
    page, following = _page(exchange, datasets, lambda dataset: dataset.dataset)
    reply: JsonObject = {"kind": "bigquery#datasetList", **following}
    return {**reply, "datasets": [_short(dataset_resource(exchange, item)) for item in page]} if page else reply


def delete_dataset(exchange: Exchange) -> Response:
    """Delete the dataset; one with tables only with `deleteContents`."""
    dataset = require_dataset(exchange)
    tables = all_tables(exchange.store, dataset.project, dataset.dataset)
    if tables and not flag(exchange, "deleteContents"):
        raise refused(400, f"Dataset {dataset.project}:{dataset.dataset} is still in use", "resourceInUse")
    for table in tables:
        remove_table(exchange.store, table)
    remove_dataset(exchange.store, dataset)
    return Response(204)


def get_table(exchange: Exchange) -> JsonObject:
    """The table's resource."""
    return table_resource(exchange, require_table(exchange))


def insert_table(exchange: Exchange) -> JsonObject:
    """Create an empty table."""
    dataset, given = require_dataset(exchange), read_resource(exchange.request.body)
    name = _id(given, "tableReference", "tableId", TABLE_NAME)
    if find_table(exchange.store, dataset.project, dataset.dataset, name):
        raise refused(409, f"Already Exists: Table {dataset.project}:{dataset.dataset}.{name}", "duplicate")
    other = next((key for key in ("view", "materializedView", "externalDataConfiguration") if given.get(key)), None)
    if other is not None:
        raise refused(400, f"{other}: the emulator supports plain tables only.")
    schema = given.get("schema")
    try:
        columns = read_schema(schema.get("fields", [])) if isinstance(schema, dict) else ()
    except BadSchema as bad:
        raise refused(400, str(bad)) from bad
    table = create_table(
        exchange.store, dataset.project, dataset.dataset, name, columns, exchange.now, kept_fields(given)
    )
    return table_resource(exchange, table)


def list_tables(exchange: Exchange) -> JsonObject:
    """One page of the dataset's tables by name; an empty list is left out."""
    dataset = require_dataset(exchange)
    tables = all_tables(exchange.store, dataset.project, dataset.dataset)
    page, following = _page(exchange, tables, lambda table: table.table)
    reply: JsonObject = {"kind": "bigquery#tableList", "totalItems": len(tables), **following}
    if page:
        reply["tables"] = [
            {
                "kind": "bigquery#table",
                "id": table.id,
                "tableReference": table_reference(table),
                "type": "TABLE",
                "creationTime": millis(table.created),
            }
            for table in page
        ]
    return reply


def delete_table(exchange: Exchange) -> Response:
    """Delete the table and its rows."""
    remove_table(exchange.store, require_table(exchange))
    return Response(204)


def _page(
    exchange: Exchange, every: Sequence[_Named], name: Callable[[_Named], str]
) -> tuple[list[_Named], JsonObject]:
    """The requested page, and the token of the next page as a field."""
    size = max_results(exchange, _PAGE_SIZE, _MOST_PER_PAGE)
    after = read_token(exchange)
    rest = [item for item in every if name(item) > after]
    return rest[:size], {"nextPageToken": page_token(name(rest[size - 1]))} if len(rest) > size else {}


def _short(resource: JsonObject) -> JsonObject:
    return {key: resource[key] for key in ("kind", "id", "datasetReference", "location")}


def _id(given: JsonObject, reference: str, field: str, shape: re.Pattern[str]) -> str:
    named = given.get(reference)
    name = named.get(field) if isinstance(named, dict) else None
    if not isinstance(name, str) or not shape.fullmatch(name):
        raise refused(400, f"Invalid {reference}.{field}: {ascii(name)[:80]}")
    return name
