"""Rows that Vertex's importer refuses: one of them fails the complete job (reference chapter 16).

The importer puts all rows into one table: a member is a column with one type over all rows, and its name is a column's
name. So the rows of a file are checked together, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern
from batchctl.model.quoting import shown
from batchctl.model.request.problems import Fault, Path, Problem, kind_of

DEEPEST = 15
"""Levels of objects in one row."""
_COLUMN = Pattern(r"[A-Za-z_][A-Za-z0-9_-]{0,299}")
_TYPE = "type"
"""The one member of schemas that has two types: `string`, or `[string, null]`."""
_OF_SCHEMAS = "write schemas without $defs and $ref"
_OF_NAMES = "begin the name with a letter or `_`, and write only letters, digits, `_` and `-` in it"
_WITH_DOMAINS: Mapping[str | int, str] = {
    "googleSearch": "excludeDomains",
    "google_search": "exclude_domains",
    "enterpriseWebSearch": "excludeDomains",
    "enterprise_web_search": "exclude_domains",
}
"""Tools that may have an empty list of domains, which is no empty object."""
_MEMBERLESS = frozenset({"codeExecution", "code_execution", "urlContext", "url_context"})
"""Tools without any member."""
_ITEM = "[]"
"""The step into a list, which is no level of its own."""


class Importer:
    """The columns that the rows so far have made."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, ...], tuple[str, int]] = {}
        """The type of each column, and the line that gave it."""
        self._names: dict[tuple[str, ...], str] = {}
        """The name of each column as it was first written, by its place in lower case: a table takes them for one."""

    def check(self, request: Mapping[str, Json], line: int) -> Iterator[Problem]:
        """The problems of one row's request, given the rows before; `line` names it in those of later rows."""
        yield from self._object(request, (), (), line)

    def _object(self, value: Mapping[str, Json], path: Path, column: tuple[str, ...], line: int) -> Iterator[Problem]:
        if not value:
            yield _problem(path, "is an empty object", _way_out_of_empty(path))
            return
        if sum(name != _ITEM for name in column) >= DEEPEST:
            yield _problem(
                path, f"is nested deeper than {DEEPEST} levels", "make the schema flatter, or describe it in the prompt"
            )
            return
        for name, member in value.items():
            here, inner = (*path, name), (*column, name)
            if not _COLUMN.fullmatch(name):
                text = f"has a member {shown(name)}, which cannot be the name of a column"
                yield _problem(path, text, _OF_SCHEMAS if name.startswith("$") else _OF_NAMES)
                continue
            first_name = self._names.setdefault(tuple(step.lower() for step in inner), name)
            if first_name != name:
                text = f"has the members {shown(first_name)} and {shown(name)}, which are one column to the importer"
                yield _problem(path, text, "write the name the same way in all rows")
                continue
            yield from self._value(member, here, inner, line)

    def _value(self, value: Json, path: Path, column: tuple[str, ...], line: int) -> Iterator[Problem]:
        if value is None:
            return
        kind = kind_of(value)
        if isinstance(value, list) and path[-1] == _TYPE:
            words = "is a list, and everywhere else in a schema a string"
            yield _problem(path, words, "name one type, with nullable: true or anyOf for others")
            return
        known, first = self._kinds.setdefault(column, (kind, line))
        if known != kind:
            where = "in this row" if first == line else f"on line {first}"
            yield _problem(path, f"is {kind}, and {known} {where}", "give the member one type in all rows")
        elif isinstance(value, Mapping):
            yield from self._object(value, path, column, line)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._value(item, (*path, index), (*column, _ITEM), line)


def _way_out_of_empty(path: Path) -> str:
    name = path[-1] if path else ""
    if name in _WITH_DOMAINS:
        return f"write {name}: {{{_WITH_DOMAINS[name]}: []}}"
    return "leave the tool out" if name in _MEMBERLESS else "leave it out, or give it a member"


def _problem(path: Path, words: str, hint: str) -> Problem:
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    subject = f'"{name}"' if name else "the request"
    return Problem(path, Fault.INVALID_VALUE, f"{subject} {words}: Vertex's importer refuses the whole job", hint)
