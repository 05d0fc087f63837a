"""The checks of the importer of JSON lines, which loads the rows into a table with their members as columns.

A single invalid row fails the whole job. Source: reference 16.
"""

from __future__ import annotations

import re

from batchctl.emulator.vertex.uris import BadPlace

_DEEPEST = 15
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,299}")


class Importer:
    """The columns of the rows up to now. Raises BadPlace at the first member that does not fit."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, ...], str] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        """Each column as it was first written, by its name in lower case: to a table they are one."""

    def add(self, row: object, place: str) -> None:
        """Add one row, which is not counted as a level: its members are columns."""
        self._take(row, (), -1, place)

    def _take(self, value: object, column: tuple[str, ...], depth: int, place: str) -> None:
        if value is None:
            return
        kind = _type_of(value)
        if kind == "ARRAY" and column[-1] == "type":
            raise _refused(place, f"field {_dotted(column)} has two types")
        if column not in self._types:
            first = self._names.setdefault(tuple(name.lower() for name in column), column)
            if first != column:
                names = f"{_dotted(first)} and {_dotted(column)}"
                raise _refused(place, f"Duplicate (case insensitive) field names: {names}")
        if self._types.setdefault(column, kind) != kind:
            raise _refused(place, f"field {_dotted(column)} is {kind} here, and {self._types[column]} before")
        if isinstance(value, dict):
            self._take_record(value, column, depth + 1, place)
        elif isinstance(value, list):
            for item in value:
                self._take(item, (*column, "item"), depth, place)

    def _take_record(self, value: dict[str, object], column: tuple[str, ...], depth: int, place: str) -> None:
        if not value:
            raise _refused(place, f"field {_dotted(column)} is a struct without fields")
        if depth > _DEEPEST:
            raise _refused(place, f"field {_dotted(column)} is nested more than {_DEEPEST} levels")
        for name, member in value.items():
            if not _COLUMN.fullmatch(name):
                raise _refused(place, f"invalid field name {ascii(name)[:80]} in {_dotted(column)}")
            self._take(member, (*column, name), depth, place)


def _type_of(value: object) -> str:
    match value:
        case bool():
            return "BOOLEAN"
        case int() | float():
            return "NUMERIC"
        case str():
            return "STRING"
        case list():
            return "ARRAY"
        case _:
            return "RECORD"


def _dotted(column: tuple[str, ...]) -> str:
    return ".".join(column) or "the row"


def _refused(place: str, what: str) -> BadPlace:
    return BadPlace(f"Error while reading data, {place}: {what}.")
