"""The scalar values in a line of JSON: where they are, and the same line with other ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

import msgspec

from batchctl.model.json_value import Json

Path: TypeAlias = tuple[str | int, ...]


def find_values(raw: bytes) -> Mapping[Path, tuple[int, int]]:
    """The place in a line of each scalar value, in their order; of a string without its quotes."""
    found: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    is_name = False
    for token in _tokens().finditer(raw):
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
            path[-1], is_name = _name(token[0]), False
        elif mark != b":":
            found[tuple(path)] = token.span(1 if mark == b'"' else 0)
    return found


def _name(token: bytes) -> str:
    try:
        return msgspec.json.decode(token, type=str)
    except msgspec.DecodeError:
        import json  # half of a surrogate pair

        name: str = json.loads(token)
        return name


@cache
def _tokens() -> re.Pattern[bytes]:
    return re.compile(rb'"((?:[^"\\]|\\.)*+)"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def fill(value: Json, others: Mapping[Path, str | int], path: Path = ()) -> Json:
    """The value with other texts and numbers at some places."""
    if isinstance(value, dict):
        return {name: fill(member, others, (*path, name)) for name, member in value.items()}
    if isinstance(value, list):
        return [fill(item, others, (*path, index)) for index, item in enumerate(value)]
    return others.get(path, value)
