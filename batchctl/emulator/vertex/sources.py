"""The input of a job: the rows of its objects, its table or its dataset. Source: reference 3.1, 8.2.

A row is `{"line": …}`, and has `"columns"` if it comes from a table. A missing input or a malformed row fails the job;
an invalid request fails only its row (see `rows`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

from batchctl.emulator.bigquery.tables import Column, Table, find_dataset, find_table, read_rows
from batchctl.emulator.job_store import Job
from batchctl.emulator.json_lines import lines
from batchctl.emulator.storage.objects import find_bucket, match_objects
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.datasets import dataset_uris
from batchctl.emulator.vertex.importing import Importer
from batchctl.emulator.vertex.partners import is_partner_row
from batchctl.emulator.vertex.uris import BadPlace, read_gs, read_table, to_create
from batchctl.emulator.wire import JsonObject

_RESERVED = frozenset({"response", "status"})
_NOT_BESIDE = frozenset({"request", "content", "body", "response", "status"})
"""Members of a line that are not copied to the result line."""
_NOT_COPIED = frozenset({"RECORD", "STRUCT", "RANGE", "DATETIME", "GEOGRAPHY"})


def input_rows(store: Store, job: Job, largest: int) -> Iterator[JsonObject]:
    """The rows in the order of the input. Raises BadPlace with the place of the error.

    An object may have at most `largest` bytes.
    """
    importer = Importer()
    for uri in input_uris(store, job):
        if _is_table(job, uri):
            yield from _table_rows(store, uri, job)
        else:
            yield from _object_rows(store, uri, job, importer, largest)


def sent_lines(store: Store, job: Job) -> Iterator[object]:
    """The rows that the input has now, without any check; none if the input does not exist."""
    with suppress(BadPlace):
        for uri in input_uris(store, job):
            if _is_table(job, uri):
                member = _member(job.kind)
                for row in read_rows(store, _table(store, uri)):
                    yield {member: _parsed(row.get(member)) if job.kind != "text" else row.get(member)}
            else:
                for item in match_objects(store, uri):
                    yield from map(_parsed, lines(store.read(item.blob)))


def _parsed(text: object) -> object:
    """The JSON value of a text; anything else, and text that is not JSON, is unchanged."""
    try:
        return json.loads(text) if isinstance(text, str | bytes) else text
    except (ValueError, RecursionError):
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def input_uris(store: Store, job: Job) -> list[str]:
    """The URIs of the job's objects or tables."""
    config = job.body["inputConfig"]
    if "gcsSource" in config:
        return list(config["gcsSource"].get("uris", []))
    if "bigquerySource" in config:
        return [config["bigquerySource"].get("inputUri", "")]
    return dataset_uris(store, config["vertexMultimodalDatasetSource"].get("datasetName", ""))


def input_columns(store: Store, job: Job) -> list[Column]:
    """The input columns that are copied to an output table, and the column of the row itself; empty for objects."""
    columns: dict[str, Column] = {}
    for uri in input_uris(store, job):
        if _is_table(job, uri):
            columns |= {column.name: column for column in _table(store, uri).schema if _copied(column)}
    return list(columns.values())


def _is_table(job: Job, uri: str) -> bool:
    """A dataset may consist of either."""
    return "bigquerySource" in job.body["inputConfig"] or uri.startswith("bq://")


def _object_rows(store: Store, uri: str, job: Job, importer: Importer, largest: int) -> Iterator[JsonObject]:
    bucket, path = read_gs(uri)
    if find_bucket(store, bucket) is None:
        raise BadPlace(f"The bucket {bucket} of {uri} does not exist. {to_create(f'buckets: {{{bucket}: {{}}}}')}")
    found = match_objects(store, uri) if path else []
    if not found:
        raise BadPlace(f"No object matches {uri}." if "*" in path else f"The object {uri} does not exist.")
    for item in found:
        place = f"gs://{item.bucket}/{item.name}"
        if item.size > largest:
            raise BadPlace(f"The size of {place} is {item.size} bytes, and the limit is {largest} bytes.")
        for number, text in enumerate(lines(store.read(item.blob)), 1):
            where = f"{place}, row {number}"
            line = _line(_json(text, where), job, where)
            importer.add(line, where)
            yield {"line": line, "columns": {name: value for name, value in line.items() if name not in _NOT_BESIDE}}


def _table_rows(store: Store, uri: str, job: Job) -> Iterator[JsonObject]:
    table, kind = _table(store, uri), job.kind
    member = _member(kind)
    names = {column.name for column in table.schema}
    if member not in names:
        raise BadPlace(f"The table {uri} has no column {member}.")
    for name in sorted(_RESERVED & names):
        raise BadPlace(f"The table {uri} has a column {name}, a name that is reserved.")
    copied = [column.name for column in table.schema if _copied(column)]
    for number, row in enumerate(read_rows(store, table), 1):
        place = f"{uri}, row {number}"
        value = row[member]
        request = _json(value.encode(), place) if isinstance(value, str) and kind != "text" else value
        line = {member: request, **({"key": row["key"]} if kind == "embed" and isinstance(row.get("key"), str) else {})}
        yield {"line": _line(line, job, place), "columns": {name: row[name] for name in copied}}


def _table(store: Store, uri: str) -> Table:
    project, dataset, name = read_table(uri)
    if find_dataset(store, project, dataset) is None:
        raise BadPlace(f"The dataset {project}.{dataset} of {uri} was not found.")
    table = find_table(store, project, dataset, name)
    if table is None:
        raise BadPlace(f"The table {uri} was not found.")
    return table


def _copied(column: Column) -> bool:
    return column.mode != "REPEATED" and column.type not in _NOT_COPIED


def _member(kind: str) -> str:
    """The required member of a row. Source: reference 8.2."""
    return "content" if kind == "text" else "request"


def _json(text: bytes, place: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadPlace(f"{place} is not JSON: {error}.") from error


def _line(value: object, job: Job, place: str) -> JsonObject:
    if job.kind == "generate" and isinstance(value, dict) and is_partner_row(job.model, value):
        return value
    member, wanted = _member(job.kind), str if job.kind == "text" else dict
    if not isinstance(value, dict) or not isinstance(value.get(member), wanted):
        raise BadPlace(f"{place} has no {member}.")
    return value
