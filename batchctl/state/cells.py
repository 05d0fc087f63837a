"""One cell of a table: how times, durations, flags and JSON look in the file, and back.

Owns the text forms that people read. Readers raise ValueError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from batchctl.model.desired import Json
from batchctl.model.times import rfc3339

Cell = str | int | None
"""What the tables hold: text, whole numbers and NULL."""


class CellError(ValueError):
    """A cell holds what no writer of ours has written."""


class NewerError(Exception):
    """A cell holds what only a newer batchctl can have written."""


def text_cell(text: str) -> str:
    """Text that SQLite can hold: lone surrogates, which a reply's JSON escapes can smuggle in, become `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def optional_text_cell(text: str | None) -> str | None:
    """The same, or NULL."""
    return None if text is None else text_cell(text)


def time_cell(time: datetime | None) -> str | None:
    """RFC 3339 in UTC with a `Z`. Raises ValueError for a time without a zone."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError(f"a time without a zone: {time!r}")
    return rfc3339(time)


def json_cell(value: Json) -> str:
    """JSON as people read it: members sorted, nothing escaped that need not be."""
    return text_cell(json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, default=_plain))


def _plain(value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def seconds_of(duration: timedelta | None) -> int | float | None:
    """A duration in seconds; whole ones as whole numbers, because those are the ones people write."""
    if duration is None:
        return None
    seconds = duration.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def read_text(cell: Json) -> str:
    """Text as it is."""
    if not isinstance(cell, str):
        raise CellError(f"expected text, found {cell!r}")
    return cell


def read_optional_text(cell: Json) -> str | None:
    """Text or NULL."""
    return None if cell is None else read_text(cell)


def read_number(cell: Json) -> int:
    """A whole number; JSON's true and false are none."""
    if not isinstance(cell, int) or isinstance(cell, bool):
        raise CellError(f"expected a whole number, found {cell!r}")
    return cell


def read_optional_number(cell: Json) -> int | None:
    """A whole number or NULL."""
    return None if cell is None else read_number(cell)


def read_flag(cell: Json) -> bool:
    """0 and 1 of a column, false and true of a JSON member."""
    if cell not in (0, 1):
        raise CellError(f"expected 0 or 1, found {cell!r}")
    return bool(cell)


def read_optional_time(cell: Json) -> datetime | None:
    """What `time_cell` wrote, or NULL."""
    return None if cell is None else read_time(cell)


def read_time(cell: Json) -> datetime:
    """What `time_cell` wrote, or any RFC 3339 time with a zone, as a person may have typed it; in UTC."""
    time = datetime.fromisoformat(read_text(cell))
    if time.tzinfo is None:
        raise CellError(f"a time without a zone: {cell!r}")
    return time.astimezone(UTC)


def read_object(cell: Json) -> dict[str, Json]:
    """A JSON object."""
    value = json.loads(read_text(cell))
    if not isinstance(value, dict):
        raise CellError(f"expected a JSON object, found {cell!r}")
    return value


def read_labels(cell: Json) -> dict[str, str]:
    """A JSON object whose members are texts."""
    return {name: read_text(value) for name, value in read_object(cell).items()}


def read_texts(cell: Json) -> tuple[str, ...]:
    """A JSON list of texts."""
    value = json.loads(read_text(cell))
    if not isinstance(value, list):
        raise CellError(f"expected a JSON list, found {cell!r}")
    return tuple(read_text(item) for item in value)


def read_seconds(value: Json) -> timedelta | None:
    """What `seconds_of` gave."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CellError(f"expected seconds, found {value!r}")
    return timedelta(seconds=value)
