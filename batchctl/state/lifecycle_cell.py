"""The lifecycle of a recorded job as one JSON object, by the table `LIFECYCLE`, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from batchctl.model.json_value import Json
from batchctl.model.lifecycle import LIFECYCLE, Lifecycle, LifecycleField, Value, ValueType
from batchctl.model.row_settings import MaxFailedRows
from batchctl.state.cells import (
    MOST_SHARED,
    NewerError,
    json_cell,
    read_flag,
    read_number,
    read_seconds,
    read_text,
    seconds_of,
)

_WRITE: Mapping[ValueType, Callable[[Value], Json]] = {
    ValueType.COUNT: int,
    ValueType.NAMES: sorted,
    ValueType.DURATION: seconds_of,
    ValueType.CHOICE: str,
    ValueType.FLAG: bool,
    ValueType.ROW_LIMIT: lambda limit: None if limit is None else limit.plain,
}
_READ: Mapping[ValueType, Callable[[Json], Value]] = {
    ValueType.COUNT: read_number,
    ValueType.NAMES: lambda names: frozenset(read_text(name) for name in names),
    ValueType.DURATION: read_seconds,
    ValueType.CHOICE: read_text,
    ValueType.FLAG: read_flag,
    ValueType.ROW_LIMIT: lambda limit: None if limit is None else MaxFailedRows.parse(limit),
}


@lru_cache(MOST_SHARED)
def lifecycle_cell(lifecycle: Lifecycle) -> str:
    """All members, including those with their default. Most jobs have the same."""
    return json_cell({one.record_name: _WRITE[one.kind](one.of(lifecycle)) for one in LIFECYCLE})


def read_lifecycle(stored: Mapping[str, Json]) -> Lifecycle:
    """The lifecycle in a record. A missing member has its default: the record is older than the member.

    Raises ValueError and TypeError, and NewerError for unknown members: the next write would drop a promise that a
    newer batchctl recorded.
    """
    unknown = stored.keys() - {one.record_name for one in LIFECYCLE}
    if unknown:
        raise NewerError(f"its lifecycle has {', '.join(sorted(unknown))}")
    known = (one for one in LIFECYCLE if one.record_name in stored)
    return Lifecycle(**{one.attribute: _read(one, stored[one.record_name]) for one in known})


def _read(one: LifecycleField, cell: Json) -> Value:
    value = _READ[one.kind](cell)
    return value if one.choices is None else one.choices(value)
