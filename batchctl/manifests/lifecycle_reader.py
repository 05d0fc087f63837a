"""Reads `spec.lifecycle` of a manifest by the table `LIFECYCLE`. The manifest is valid by its schema."""

from __future__ import annotations

from batchctl.manifests.duration_reader import parse_duration
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.nodes import Node, find, value_of
from batchctl.model.desired import Lifecycle
from batchctl.model.lifecycle import LIFECYCLE, LifecycleField, Value, ValueType


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
    if one.kind is ValueType.DURATION:
        try:
            return parse_duration(str(value))
        except ValueError as error:
            faults.add(node.location, Code.INVALID_VALUE, f'"{one.name}" {error}')
            return None
    return value if one.choices is None else one.choices(value)
