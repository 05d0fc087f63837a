"""Reads `spec.lifecycle` of a manifest by the table `LIFECYCLE`. The manifest is valid by its schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batchctl.manifests.duration_reader import parse_duration
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Node, find, value_of
from batchctl.model.json_value import Json
from batchctl.model.lifecycle import LIFECYCLE, Lifecycle, LifecycleField, Value, ValueType
from batchctl.model.row_settings import MaxFailedRows

_READERS: Mapping[ValueType, Callable[[Json], Value]] = {
    ValueType.DURATION: lambda value: parse_duration(str(value)),
    ValueType.ROW_LIMIT: lambda value: MaxFailedRows.parse(int(value) if isinstance(value, float) else value),
}
"""Readers that raise ValueError, with the reason."""


def read_lifecycle(spec: Node, faults: Faults) -> Lifecycle:
    """The lifecycle of a job, with defaults for the missing fields."""
    return Lifecycle(**{one.attribute: _read(one, find(spec, "lifecycle", one.name), faults) for one in LIFECYCLE})


def _read(one: LifecycleField, node: Node | None, faults: Faults) -> Value:
    if node is None:
        return one.default
    value = value_of(node)
    if one.kind is ValueType.COUNT:
        return int(value)
    if one.kind is ValueType.NAMES:
        return frozenset(value)
    reader = _READERS.get(one.kind)
    if reader is not None:
        try:
            return reader(value)
        except ValueError as error:
            faults.add(node.location, Code.INVALID_VALUE, f'"{one.name}" {error}')
            return None
    return value if one.choices is None else one.choices(value)
