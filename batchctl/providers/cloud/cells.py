"""Rows of a BigQuery table: converts the cells of a reply to named values, by the table's schema.

A reply holds nearly everything as text. A row that does not fit the schema is refused. A single value that does not
fit its column's type stays text. Source: bigquery v2, `TableFieldSchema`, `TableRow`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.providers.untrusted_text import as_object, parse_json

_RECORDS = frozenset({"RECORD", "STRUCT"})
_INTEGERS = frozenset({"INTEGER", "INT64"})
_FLOATS = frozenset({"FLOAT", "FLOAT64"})
_TRUTHS = frozenset({"BOOLEAN", "BOOL"})
_MOST_LEVELS = 15
"""Levels of nested records that BigQuery allows."""


class Column(Struct, frozen=True):
    """One field of a schema."""

    name: str
    type: str
    repeated: bool
    fields: tuple[Column, ...]
    """Fields of a record; empty for other types."""


def read_columns(fields: Json, levels: int = _MOST_LEVELS) -> tuple[Column, ...]:
    """The columns of a schema, or of a record in it. Raises ValueError."""
    if not isinstance(fields, list) or levels < 0:
        raise ValueError("the schema has no list of fields")
    return tuple(_column(as_object(field), levels) for field in fields)


def read_row(row: Json, columns: Sequence[Column]) -> dict[str, Json]:
    """The values of a row, or of a nested record, by column. Raises ValueError when the columns do not match."""
    cells = as_object(row).get("f")
    if not isinstance(cells, list) or len(cells) != len(columns):
        raise ValueError("a row does not have the table's columns")
    return {column.name: _field(column, as_object(cell).get("v")) for column, cell in zip(columns, cells, strict=True)}


def _column(field: dict[str, Json], levels: int) -> Column:
    name, kind, mode = field.get("name"), field.get("type"), field.get("mode")
    if not isinstance(name, str) or not isinstance(kind, str):
        raise ValueError("the schema has a field without a name or a type")  # noqa: TRY004  one error to catch
    inner = read_columns(field.get("fields"), levels - 1) if kind in _RECORDS else ()
    return Column(name, kind, mode == "REPEATED", inner)


def _field(column: Column, value: Json) -> Json:
    if not column.repeated:
        return _value(column, value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"the repeated column {column.name[:80]} is not a list")  # noqa: TRY004  one error to catch
    return [_value(column, as_object(item).get("v")) for item in value]


def _value(column: Column, value: Json) -> Json:
    if value is None:
        return None
    if column.type in _RECORDS:
        return read_row(value, column.fields)
    if not isinstance(value, str):
        return value
    try:
        return _scalar(column.type, value)
    except ValueError:
        return value


def _scalar(kind: str, text: str) -> Json:
    if kind == "JSON":
        return parse_json(text.encode("utf-8", "surrogatepass"))
    if kind in _INTEGERS:
        return int(text)
    if kind in _FLOATS:
        return float(text)
    if kind in _TRUTHS:
        return {"true": True, "false": False}.get(text.lower(), text)
    return text
