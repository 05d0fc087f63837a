"""Schemas: read from a resource, or derived from rows. Source: bigquery v2, the schema TableFieldSchema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from batchctl.emulator.bigquery.tables import Column

_NAME = re.compile(r"[^\W\d]\w{0,299}")
_OTHER_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}
_TYPES = frozenset({
    "STRING", "BYTES", "INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "TIMESTAMP", "DATE", "TIME", "DATETIME",
    "GEOGRAPHY", "RECORD", "JSON", "INTERVAL", "RANGE",
})  # fmt: skip
_MODES = frozenset({"NULLABLE", "REQUIRED", "REPEATED"})


class BadSchema(ValueError):
    """The text names the invalid field and the error."""


def read_schema(fields: object, place: str = "") -> tuple[Column, ...]:
    """The columns of a list of field resources. Raises BadSchema."""
    if not isinstance(fields, list):
        raise BadSchema(f"Schema {place or 'fields'} must be a list of fields")
    columns = tuple(_read_column(field, place) for field in fields)
    names = [column.name.lower() for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadSchema(f"Duplicate field name: {place}{twice}")
    return columns


def guess_schema(rows: Iterable[Mapping[str, Any]], *, nested_json: bool) -> tuple[Column, ...]:
    """Columns that fit all these rows; text stays text even if it looks like another type.

    With `nested_json`, mappings and lists become JSON columns, otherwise RECORD and REPEATED columns. Raises BadSchema.
    """
    found: dict[str, Column | None] = {}
    for row in rows:
        for name, value in row.items():
            found[name] = _joined(found.get(name), _guess(name, value, nested_json=nested_json))
    guessed = [column or Column(name, "STRING") for name, column in found.items()]
    return read_schema([column.resource() for column in guessed])


def select_columns(columns: Sequence[Column], paths: Sequence[Sequence[str]]) -> tuple[Column, ...]:
    """The columns at these paths, such as `[["a"], ["b", "c"]]`, in the schema's order. Raises BadSchema."""
    known = {column.name for column in columns}
    unknown = next((path[0] for path in paths if path[0] not in known), None)
    if unknown is not None:
        raise BadSchema(f"No such field: {unknown}")
    selected = []
    for column in columns:
        below = [path[1:] for path in paths if path[0] == column.name]
        if below and all(below):
            selected.append(replace(column, fields=select_columns(column.fields, below)))
        elif below:
            selected.append(column)
    return tuple(selected)


def _read_column(field: object, place: str) -> Column:
    if not isinstance(field, dict):
        raise BadSchema(f"A field of {place or 'the schema'} is not an object")
    name, kind, mode = field.get("name"), str(field.get("type")).upper(), str(field.get("mode") or "NULLABLE").upper()
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadSchema(f"Invalid field name {ascii(name)[:80]}: letters, digits and underscores only")
    kind = _OTHER_NAMES.get(kind, kind)
    if kind not in _TYPES:
        raise BadSchema(f"Invalid type of field {place}{name}: {kind[:40]}")
    if mode not in _MODES:
        raise BadSchema(f"Invalid mode of field {place}{name}: {mode[:40]}")
    below = read_schema(field["fields"], f"{place}{name}.") if kind == "RECORD" and field.get("fields") else ()
    if kind == "RECORD" and not below:
        raise BadSchema(f"Field {place}{name} is type RECORD but has no schema")
    description = field.get("description")
    return Column(name, kind, mode, below, description if isinstance(description, str) else None)


def _guess(name: str, value: object, *, nested_json: bool) -> Column | None:
    """The column of one value; None if the value has no type, such as null."""
    if isinstance(value, dict | list) and nested_json:
        return Column(name, "JSON")
    if isinstance(value, list):
        element = None
        for item in value:
            element = _joined(element, _guess(name, item, nested_json=False))
        return None if element is None else replace(element, mode="REPEATED")
    if isinstance(value, dict):
        below = guess_schema([value], nested_json=False)
        return Column(name, "RECORD", fields=below) if below else None
    kinds = {bool: "BOOLEAN", int: "INTEGER", float: "FLOAT", str: "STRING"}
    return Column(name, kinds[type(value)]) if type(value) in kinds else None


def _joined(one: Column | None, other: Column | None) -> Column | None:
    """A column for the values of both; text if their types are incompatible."""
    if one is None or other is None or one == other:
        return one or other
    kinds = {one.type, other.type}
    if kinds == {"RECORD"}:
        fields: dict[str, Column | None] = {column.name: column for column in one.fields}
        for column in other.fields:
            fields[column.name] = _joined(fields.get(column.name), column)
        return replace(one, fields=tuple(column for column in fields.values() if column is not None))
    return replace(
        one, type="FLOAT" if kinds == {"INTEGER", "FLOAT"} else next(iter(kinds & {"JSON"}), "STRING"), fields=()
    )
