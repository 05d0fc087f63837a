"""Computes the cells of a matrix: the combinations of its axis values, one for each job.

`exclude` removes combinations; then `include` adds members to combinations, or adds combinations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product

from msgspec import Struct

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, did_you_mean
from batchctl.manifests.nodes import Items, Members, Node, Scalar, find
from batchctl.manifests.variables import written
from batchctl.model.locations import Location
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import cut, shown

MOST_JOBS = 256
MOST_COMBINATIONS = 1024
"""Before `exclude`."""
MOST_ENTRIES = 256
"""Of `include` or of `exclude`. Each is compared with each combination."""
_NOT_OF_NAMES = Pattern("[^a-z0-9]+")


class Cell(Struct, frozen=True):
    """One combination of axis values, with the members that `include` adds to it."""

    axes: Mapping[str, Scalar]
    more: Mapping[str, Scalar]

    @property
    def values(self) -> dict[str, Scalar]:
        """Everything that `${matrix.…}` can name."""
        return {**self.axes, **self.more}

    def __str__(self) -> str:
        return cut(", ".join(f"{name}={text_of(node)}" for name, node in self.axes.items()))

    def matches(self, entry: Mapping[str, Scalar]) -> bool:
        """Whether it has all axis values of an entry."""
        return all(text_of(self.axes[name]) == text_of(node) for name, node in entry.items())


def text_of(node: Scalar) -> str:
    """A value as a text. A number and the same number in quotes are one axis value."""
    assert node.value is not None, "the schema allows no null"
    return written(node.value)


def name_part(node: Scalar) -> str:
    """An axis value as a part of a job's name: lower-case letters, digits, and dashes for anything else."""
    return _NOT_OF_NAMES.sub("-", text_of(node).lower()).strip("-")


class CellReader:
    """Reads the cells of one matrix, which is valid by its schema. Errors go to the faults."""

    def __init__(self, matrix: Members, faults: Faults) -> None:
        self._matrix = matrix
        self._faults = faults
        axes = find(matrix, "axes")
        entries = axes.entries if isinstance(axes, Members) else {}
        self._axes = {name: list(_scalars(member.node)) for name, member in entries.items()}

    def cells(self) -> list[Cell]:
        """All cells in the order of the axes; empty after an error that leaves none."""
        if math.prod(len(values) for values in self._axes.values()) > MOST_COMBINATIONS:
            return self._too_many(f"more than {MOST_COMBINATIONS} combinations")
        for field in ("exclude", "include"):
            if len(list(self._entries(field))) > MOST_ENTRIES:
                return self._too_many(f"more than {MOST_ENTRIES} entries of {field}")
        combinations = (dict(zip(self._axes, values, strict=True)) for values in product(*self._axes.values()))
        cells = [Cell(axes, {}) for axes in combinations]
        for entry in self._entries("exclude"):
            cells = self._excluded(cells, entry)
        for entry in self._entries("include"):
            cells = self._included(cells, entry)
        if len(cells) > MOST_JOBS:
            return self._too_many(f"{len(cells)} jobs")
        if not cells and not self._faults.any_at(self._matrix.location):
            hint = "remove an entry of exclude, or the manifest"
            self._faults.add(self._matrix.location, Code.INVALID_VALUE, "the matrix has no job", hint)
        return cells

    def _too_many(self, what: str) -> list[Cell]:
        message = f"the matrix has {what}; at most {MOST_JOBS} jobs are allowed"
        self._faults.add(self._matrix.location, Code.TOO_LARGE, message, "divide it into several manifests")
        return []

    def _entries(self, field: str) -> Iterator[Members]:
        node = find(self._matrix, field)
        for item in node.values if isinstance(node, Items) else ():
            assert isinstance(item, Members), "the schema requires it"
            yield item

    def _excluded(self, cells: list[Cell], entry: Members) -> list[Cell]:
        strangers = [name for name in entry.entries if name not in self._axes]
        for name in strangers:
            place, hint = entry.entries[name].key_location, did_you_mean(name, self._axes)
            self._faults.add(place, Code.UNKNOWN_FIELD, f"the matrix has no axis {shown(name)}", hint)
        wanted = _values(entry)
        kept = cells if strangers else [cell for cell in cells if not cell.matches(wanted)]
        if len(kept) == len(cells) and not strangers:
            self._useless(entry.location, 'an entry of "exclude" matches no combination')
        return kept

    def _included(self, cells: list[Cell], entry: Members) -> list[Cell]:
        values = _values(entry)
        axes = {name: values[name] for name in self._axes if name in values}
        more = {name: node for name, node in values.items() if name not in axes}
        matched = [cell for cell in cells if cell.matches(axes)]
        if matched and not more:
            self._useless(entry.location, 'an entry of "include" adds nothing')
        if matched:
            return [Cell(cell.axes, {**cell.more, **more}) if cell.matches(axes) else cell for cell in cells]
        if len(axes) == len(self._axes):
            return [*cells, Cell(axes, more)]
        missing = ", ".join(name for name in self._axes if name not in axes)
        hint = f"name the other axes, too, to add a combination: {cut(missing)}"
        self._useless(entry.location, 'an entry of "include" matches no combination', hint)
        return cells

    def _useless(self, place: Location, message: str, hint: str = "check its values") -> None:
        self._faults.add(place, Code.INVALID_VALUE, message, hint)


def _scalars(node: Node) -> Iterator[Scalar]:
    for item in node.values if isinstance(node, Items) else ():
        assert isinstance(item, Scalar), "the schema requires it"
        yield item


def _values(entry: Members) -> dict[str, Scalar]:
    return {name: member.node for name, member in entry.entries.items() if isinstance(member.node, Scalar)}
