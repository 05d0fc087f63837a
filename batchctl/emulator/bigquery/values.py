"""Values of rows: parsing what callers send, and formatting what the service returns.

Source: bigquery v2, `tabledata.list` and `tabledata.insertAll`. The stored form is described in `tables`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from batchctl.emulator.bigquery.tables import Column

_MICROS = 1_000_000
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_LAST_SECOND = 62_135_596_800
"""Seconds from year 1 to 1970. A time at most as long after 1970 has a year of four digits."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeForm(Enum):
    """The format of a TIMESTAMP."""

    SECONDS = "seconds with a fraction"
    MICROS = "whole microseconds"
    ISO = "ISO 8601"


class BadValue(ValueError):
    """The value does not fit its column; `location` is the column's name."""

    def __init__(self, location: str, message: str) -> None:
        super().__init__(message)
        self.location = location
        self.message = message


def read_row(
    columns: Sequence[Column], given: object, *, json_text: bool, ignore_unknown: bool = False, place: str = ""
) -> dict[str, Any]:
    """The row, or the RECORD at `place`, in stored form. Raises BadValue.

    With `json_text` the value of a JSON column is text, as in a streaming insert; otherwise it is the value itself.
    """
    if not isinstance(given, dict):
        raise BadValue(place.rstrip("."), "This field is not a record." if place else "The row is not an object.")
    spelled = {str(name).lower(): value for name, value in given.items()}
    known = {column.name.lower() for column in columns}
    unknown = next((name for name in given if str(name).lower() not in known), None)
    if unknown is not None and not ignore_unknown:
        raise BadValue(f"{place}{unknown}", f"no such field: {place}{unknown}.")
    row: dict[str, Any] = {}
    for column in columns:
        below = f"{place}{column.name}"
        value = spelled.get(column.name.lower())
        if column.mode == "REPEATED":
            row[column.name] = [_read(column, item, below, json_text, ignore_unknown) for item in _list(value, below)]
        elif value is None and column.mode == "REQUIRED":
            raise BadValue(below, f"Missing required field: {below}.")
        else:
            row[column.name] = None if value is None else _read(column, value, below, json_text, ignore_unknown)
    return row


def write_row(columns: Sequence[Column], row: Mapping[str, Any], form: TimeForm) -> dict[str, Any]:
    """The row, or a RECORD, on the wire: values only, in the order of the columns."""
    return {"f": [{"v": _write_field(column, row.get(column.name), form)} for column in columns]}


def _list(value: object, place: str) -> list[object]:
    if isinstance(value, list):
        return value
    if value is None:
        return []
    raise BadValue(place, f"Field {place} is repeated: its value must be a list.")


def _read(column: Column, value: object, place: str, json_text: bool, ignore_unknown: bool) -> Any:  # noqa: ANN401  any JSON
    """One value that is not null."""
    if column.type == "RECORD":
        return read_row(column.fields, value, json_text=json_text, ignore_unknown=ignore_unknown, place=f"{place}.")
    if column.type == "JSON":
        return _read_json(value, place) if json_text else value
    if value is None or isinstance(value, dict | list):
        raise BadValue(
            place, f"Field {place} is of type {column.type}: its value must not be a list, an object or null."
        )
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return _READERS.get(column.type, str)(text)
    except ValueError as error:
        raise BadValue(place, f"Cannot convert value to {column.type.lower()} (bad value): {text[:80]}") from error


def _read_json(value: object, place: str) -> object:
    if not isinstance(value, str):
        raise BadValue(place, f"Field {place} is of type JSON: its value must be JSON text.")
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadValue(place, f"Invalid JSON text in field {place}: {error}") from error


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text):
        number = int(text)
    elif _NUMBER.fullmatch(text) and float(text).is_integer():
        number = int(float(text))
    else:
        raise ValueError(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


def _float(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0"}:
        raise ValueError(text)
    return text.lower() in {"true", "1"}


def _moment(text: str) -> int:
    """Microseconds since 1970; a number means seconds, and a time without a zone is UTC."""
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        if not abs(seconds) < _LAST_SECOND:
            raise ValueError(text)
        return round(seconds * _MICROS)
    parsed = datetime.fromisoformat(text.strip().removesuffix("UTC").strip())
    zoned = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
    return (zoned - _EPOCH) // timedelta(microseconds=1)


_READERS: dict[str, Any] = {"INTEGER": _whole, "FLOAT": _float, "BOOLEAN": _truth, "TIMESTAMP": _moment}


def _write_field(column: Column, value: Any, form: TimeForm) -> Any:  # noqa: ANN401  any JSON
    if column.mode == "REPEATED":
        return [{"v": _write(column, item, form)} for item in value or ()]
    return None if value is None else _write(column, value, form)


def _write(column: Column, value: Any, form: TimeForm) -> Any:  # noqa: ANN401
    match column.type:
        case "RECORD":
            return write_row(column.fields, value, form)
        case "JSON":
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case "BOOLEAN":
            return "true" if value else "false"
        case "FLOAT":
            return _float_text(float(value))
        case "TIMESTAMP":
            return _time_text(int(value), form)
        case _:
            return str(value)


def _float_text(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number)


def _time_text(micros: int, form: TimeForm) -> str:
    if form is TimeForm.MICROS:
        return str(micros)
    if form is TimeForm.SECONDS:
        return repr(micros / _MICROS)
    return f"{_EPOCH + timedelta(microseconds=micros):%Y-%m-%dT%H:%M:%S.%fZ}"
