"""Finds the gaps of a line: values that may be any text, or any number, without another verdict on the row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeAlias

from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.fields import Base64, Each, Named, Of, Text, Value
from batchctl.model.request.rules import COMPARED
from batchctl.model.request.spelling import spellings
from batchctl.rows.spelling import request_members

Path: TypeAlias = tuple[str | int, ...]
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*+)"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_CONSTANT = frozenset({"body", "config"})
"""Members of a row that are the same in all rows of a form."""


class Gap(Enum):
    """The texts that fit into a gap."""

    TEXT = "any text"
    SOME_TEXT = "any text but the empty one"
    BASE64 = "bytes in base64"
    WHOLE = "a whole number"


def gaps_of(row: Mapping[str, Json], kind: Kind) -> Mapping[Path, Gap]:
    """The gaps of a row in any of its forms, by their places."""
    return dict(_of_row(row, kind))


def find_values(raw: bytes) -> Mapping[Path, tuple[int, int]]:
    """The place in a line of each scalar value, in their order; of a string without its quotes."""
    found: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    is_name = False
    for token in _TOKEN.finditer(raw):
        mark = token[0][:1]
        if mark in b"{[":
            path.append("" if mark == b"{" else 0)
            is_name = mark == b"{"
        elif mark in b"}]":
            path.pop()
        elif mark == b",":
            step = path[-1]
            is_name = isinstance(step, str)
            path[-1] = step if isinstance(step, str) else step + 1
        elif mark == b'"' and is_name:
            path[-1], is_name = json.loads(token[0]), False
        elif mark != b":":
            found[tuple(path)] = token.span(1 if mark == b'"' else 0)
    return found


def fill(value: Json, others: Mapping[Path, str | int], path: Path = ()) -> Json:
    """The value with other texts and numbers at some places."""
    if isinstance(value, dict):
        return {name: fill(member, others, (*path, name)) for name, member in value.items()}
    if isinstance(value, list):
        return [fill(item, others, (*path, index)) for index, item in enumerate(value)]
    return others.get(path, value)


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
