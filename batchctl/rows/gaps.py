"""Finds the gaps of a line: values that may be any text, or any number, without another verdict on the row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batchctl.model.forms.gap_texts import Gap
from batchctl.model.forms.line_values import Path
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.fields import Base64, Each, Named, Of, Text, Value
from batchctl.model.request.rules import COMPARED
from batchctl.model.request.spelling import spellings
from batchctl.rows.spelling import request_members

_CONSTANT = frozenset({"body", "config"})
"""Members of a row that are the same in all rows of a form."""


def gaps_of(row: Mapping[str, Json], kind: Kind) -> Mapping[Path, Gap]:
    """The gaps of a row in any of its forms, by their places."""
    return dict(_of_row(row, kind))


def _of_row(row: Mapping[str, Json], kind: Kind) -> Iterator[tuple[Path, Gap]]:
    root = ROOTS[kind]
    is_bare = "request" not in row and "text" not in row
    for name, member in row.items():
        if name == "request":
            yield from _inside(member, Of(root.name), (name,))
        elif name == "metadata":
            yield from _inside(member, Named(Text()), (name,))
        elif is_bare and name in request_members(kind):
            yield from _inside({name: member}, Of(root.name), ())
        elif isinstance(member, str) and name not in _CONSTANT:
            yield (name,), Gap.SOME_TEXT if name in ("key", "text") else Gap.TEXT
        elif type(member) is int and name not in ("key", "text"):
            yield (name,), Gap.WHOLE


def _inside(value: Json, kind: Value, path: Path) -> Iterator[tuple[Path, Gap]]:
    match value, kind:
        case str(), Text(pattern="", non_empty=non_empty):
            yield path, Gap.SOME_TEXT if non_empty else Gap.TEXT
        case str(), Base64():
            yield path, Gap.BASE64
        case (dict(), Of() | Named()) | (list(), Each()):
            for step, member, inner in _members(value, kind):
                yield from _inside(member, inner, (*path, step))
        case dict(), Each(item, one_is_enough=True):
            yield from _inside(value, item, path)


def _members(value: Json, kind: Value) -> Iterator[tuple[str | int, Json, Value]]:
    """The members or items of a value with their kinds, without those that a rule compares."""
    match kind:
        case Each(item):
            yield from ((index, one, item) for index, one in enumerate(value))
        case Named(inner):
            yield from ((name, member, inner) for name, member in value.items())
        case Of(message):
            known = spellings(message)
            for name, member in value.items():
                if name in known and known[name].name not in COMPARED:
                    yield name, member, known[name].value
