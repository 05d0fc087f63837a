"""The names of rows: `key`, `custom_id`, `id`, in order of trust.

Defines when two names are equal. A server may return a text that looks like a number as a number. So a name is
searched for as it was sent, then as a number, and counts only if exactly one row has it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from itertools import islice
from operator import lt
from typing import cast

from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.rows.echo import number_like
from batchctl.rows.groups import Groups

NAMES = ("key", "custom_id", "id")
_NO_NAMES = frozenset[str]()
_MOST = 2**64 - 1


def numbers_of(item: ResultItem) -> frozenset[str]:
    """The names of a result that came back as numbers: their spelling in the input is not known."""
    if not item.members and not item.key_is_number:
        return _NO_NAMES
    given = {**item.members, "key": 0 if item.key_is_number else None}
    return frozenset(
        name for name in NAMES if isinstance(given.get(name), int | float) and not isinstance(given[name], bool)
    )


def names_of(key: str | None, members: Mapping[str, Json]) -> dict[str, str]:
    """The names of a row or a result."""
    found = {} if key is None else {"key": key}
    if not members:
        return found
    for name in NAMES[1:]:
        text = _text(members.get(name))
        if text is not None:
            found[name] = text
    return found


def same_name(one: str, other: str) -> bool:
    """Whether two texts may be the same name."""
    return one == other or number_like(one) == number_like(other)


def _text(value: Json) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


class Identities:
    """The names of all rows of an input, in input order."""

    def __init__(self) -> None:
        self._count = 0
        self._columns: dict[str, list[str | None]] = {}
        self._exact: dict[str, Groups] = {}
        self._loose: dict[str, Groups] = {}
        self._distinct = set[str]()
        """The kinds of names that are certain to be distinct."""
        self._next = 0
        """The row after the last one that was found: results often come in the order of the input."""

    def add(self, names: Mapping[str, str]) -> None:
        """Add the next row."""
        for name in names:
            if name not in self._columns:
                self._columns[name] = [None] * self._count
        for name, column in self._columns.items():
            column.append(names.get(name))
        self._count += 1

    def add_keys(self, keys: Sequence[str]) -> None:
        """Add the next rows, which have these keys and no other name."""
        self._columns.setdefault("key", [None] * self._count).extend(keys)
        self._count += len(keys)
        for column in self._columns.values():
            column.extend([None] * (self._count - len(column)))

    def close(self) -> None:
        """All rows were added."""
        self._distinct = {name for name, column in self._columns.items() if _rises(column)}

    def skip(self, count: int) -> None:
        """Go on after so many rows, as if they had been found one after the other."""
        self._next = count

    def _is_distinct(self, name: str) -> bool:
        """Whether each row has such a name, or none has, and no two rows have the same one."""
        if name in self._distinct:
            return True
        exact = self._index(name)
        return exact is not None and exact.is_distinct

    def _index(self, name: str) -> Groups | None:
        """The rows by their names of one kind, made when it is first needed; None: no row has such a name."""
        column = self._columns.get(name)
        if column is not None and name not in self._exact:
            self._exact[name] = Groups(array("Q", (0 if text is None else _mark(text) for text in column)))
        return self._exact.get(name)

    def next_owner(self, key: str) -> int | None:
        """The row with this key, if it is the one after the row that was found last; None: `owner` has to search."""
        if not self._is_distinct("key") or not self._is_next("key", key):
            return None
        self._next += 1
        return self._next - 1

    def next_owners(self, keys: Sequence[str]) -> int | None:
        """The first of the rows with these keys, if they are those after the row that was found last, else None."""
        if not self._is_distinct("key") or self._columns["key"][self._next : self._next + len(keys)] != list(keys):
            return None
        self._next += len(keys)
        return self._next - len(keys)

    def owner(self, names: Mapping[str, str], numbers: frozenset[str] = _NO_NAMES) -> int | None:
        """The only row with one of these names; None if each name has no row, or several.

        Names among `numbers` may have been any text that looks like that number.
        """
        for name in NAMES:
            text = names.get(name)
            exact = None if text is None else self._index(name)
            if text is None or exact is None:
                continue
            row = self._find(name, text, exact, is_number=name in numbers)
            own = None if row is None else self._columns[name][row]
            if row is not None and own is not None and same_name(own, text):
                self._next = row + 1
                return row
        return None

    def _is_next(self, name: str, text: str) -> bool:
        return self._next < self._count and self._columns[name][self._next] == text

    def _find(self, name: str, text: str, exact: Groups, *, is_number: bool) -> int | None:
        if not is_number and exact.first(_mark(text)) is not None:
            return exact.only(_mark(text))
        loose = self._loose.get(name)
        if loose is None:
            column = self._columns[name]
            marks = array("Q", (0 if own is None else _mark(number_like(own)) for own in column))
            loose = self._loose[name] = Groups(marks)
        return loose.only(_mark(number_like(text)))

    def fits(self, row: int, names: Mapping[str, str]) -> bool:
        """Whether no name of a row contradicts those of a result."""
        for name, text in names.items():
            own = self._columns[name][row] if name in self._columns else None
            if own is not None and not same_name(own, text):
                return False
        return True


def _rises(column: Sequence[str | None]) -> bool:
    """Whether each name is greater than the one before, as numbered names are: then no two are equal."""
    if None in column:
        return False
    names = cast("Sequence[str]", column)
    return all(map(lt, names, islice(names, 1, None)))


def _mark(text: str) -> int:
    """64 bits of a name. 0 is for rows without one."""
    return (hash(text) & _MOST) or 1
