"""Datasets and tables on the wire, and finding those that a path names.

Source: bigquery v2, the schemas Dataset and Table. Times are milliseconds in strings.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from batchctl.emulator.bigquery.tables import Dataset, Table, count_rows, find_dataset, find_table
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.older_apis import OldRefused, host_url
from batchctl.emulator.store import Store
from batchctl.emulator.wire import JsonObject

_NANOS_PER_MILLI = 1_000_000
_KEPT = ("friendlyName", "description", "labels", "expirationTime", "timePartitioning", "clustering")


def refused(status: int, message: str, reason: str | None = None) -> OldRefused:
    """An error reply of this service, which includes the google.rpc name."""
    return OldRefused(status, message, reason, named=True)


def dataset_resource(exchange: Exchange, dataset: Dataset) -> JsonObject:
    """The dataset on the wire."""
    path = f"/bigquery/v2/projects/{dataset.project}/datasets/{dataset.dataset}"
    return {
        "kind": "bigquery#dataset",
        "etag": _etag(dataset.created),
        "id": f"{dataset.project}:{dataset.dataset}",
        "selfLink": f"{host_url(exchange)}{path}",
        "datasetReference": {"projectId": dataset.project, "datasetId": dataset.dataset},
        "creationTime": millis(dataset.created),
        "lastModifiedTime": millis(dataset.created),
        "location": dataset.location,
        "type": "DEFAULT",
    }


def table_resource(exchange: Exchange, table: Table) -> JsonObject:
    """The table on the wire."""
    path = f"/bigquery/v2/projects/{table.project}/datasets/{table.dataset}/tables/{table.table}"
    dataset = find_dataset(exchange.store, table.project, table.dataset)
    assert dataset is not None
    return {
        "kind": "bigquery#table",
        "etag": table_etag(table),
        "id": table.id,
        "selfLink": f"{host_url(exchange)}{path}",
        "tableReference": table_reference(table),
        "schema": {"fields": [column.resource() for column in table.schema]},
        "numRows": str(count_rows(exchange.store, table)),
        "numBytes": str(count_bytes(exchange.store, table)),
        "numLongTermBytes": "0",
        "creationTime": millis(table.created),
        "lastModifiedTime": millis(table.updated),
        "type": "TABLE",
        "location": dataset.location,
        **table.more,
    }


def table_reference(table: Table) -> JsonObject:
    """The table's name in its three parts."""
    return {"projectId": table.project, "datasetId": table.dataset, "tableId": table.table}


def table_etag(table: Table) -> str:
    """Changes when rows are added or removed."""
    return _etag(table.updated)


def kept_fields(resource: Mapping[str, Any]) -> JsonObject:
    """The fields of a table's resource that are echoed unchanged."""
    return {key: resource[key] for key in _KEPT if resource.get(key) is not None}


def require_dataset(exchange: Exchange) -> Dataset:
    """The dataset of the path. Raises Refused (404)."""
    return require_dataset_named(exchange.store, exchange.params["project"], exchange.params["dataset"])


def require_dataset_named(store: Store, project: str, dataset: str) -> Dataset:
    """The dataset of this name. Raises Refused (404)."""
    found = find_dataset(store, project, dataset)
    if found is None:
        raise refused(404, f"Not found: Dataset {project}:{dataset}")
    return found


def require_table(exchange: Exchange) -> Table:
    """The table of the path. Raises Refused (404)."""
    dataset, name = require_dataset(exchange), exchange.params["table"]
    table = find_table(exchange.store, dataset.project, dataset.dataset, name)
    if table is None:
        raise refused(404, f"Not found: Table {dataset.project}:{dataset.dataset}.{name}")
    return table


def count_bytes(store: Store, table: Table) -> int:
    """The size of the rows as stored: a number that grows with them."""
    sql = "SELECT coalesce(sum(length(data)), 0) FROM table_rows WHERE table_seq = ?"
    count: int = store.rows(sql, table.seq)[0][0]
    return count


def millis(moment: int) -> str:
    """A time in this service's format."""
    return str(moment // _NANOS_PER_MILLI)


def _etag(moment: int) -> str:
    return base64.b64encode(str(moment).encode()).decode()
