"""Reads proto-JSON input: both spellings in, camelCase out, unknown names and wrong types refused with their place.

Knows no message of any API; the services declare theirs. What is `Anything` (maps, schemas, args) stays as it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from batchctl.emulator.wire import JsonObject, Refused


@dataclass(frozen=True)
class Anything:
    """Taken verbatim, names inside included."""


@dataclass(frozen=True)
class Text:
    """A string."""


@dataclass(frozen=True)
class Whole:
    """An int32 or int64: a whole number, or its digits in a string."""


@dataclass(frozen=True)
class Choice:
    """An enum's name."""

    names: frozenset[str]


@dataclass(frozen=True)
class Many:
    """A repeated field; with `lone`, a bare value is taken as a list of one."""

    of: Kind
    lone: bool = False


@dataclass(frozen=True)
class Message:
    """A message with its fields by camelCase name; an `open` one lets unknown names pass."""

    fields: Mapping[str, Kind] = field(default_factory=dict)
    open: bool = False


Kind: TypeAlias = Anything | Text | Whole | Choice | Many | Message


@dataclass(frozen=True)
class _Problem:
    place: str
    text: str


def read_message(value: object, message: Message, place: str = "") -> JsonObject:
    """The message in camelCase. Raises Refused (400) that tells every problem. Source: reference 9."""
    problems: list[_Problem] = []
    read = _read(value, message, place, problems)
    if problems:
        raise _refused(problems)
    assert isinstance(read, dict)
    return read


def snake(name: str) -> str:
    """The proto spelling of a camelCase name, which is how the API tells places."""
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


def camel(name: str) -> str:
    """The JSON spelling of a snake_case name; a camelCase one stays."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _read(value: object, kind: Kind, place: str, problems: list[_Problem]) -> object:
    if isinstance(kind, Message):
        return _read_fields(value, kind, place, problems)
    if isinstance(kind, Many):
        if kind.lone and isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            problems.append(_Problem(place, f"Invalid value at '{place}' (a list is wanted)"))
            return []
        return [_read(item, kind.of, f"{place}[{position}]", problems) for position, item in enumerate(value)]
    if isinstance(kind, Anything):
        return value
    return _read_scalar(value, kind, place, problems)


def _read_scalar(value: object, kind: Text | Whole | Choice, place: str, problems: list[_Problem]) -> object:
    if isinstance(kind, Text):
        fits, wanted = isinstance(value, str) and _encodable(value), "TYPE_STRING"
    elif isinstance(kind, Whole):
        fits, wanted = _whole(value), "TYPE_INT64"
    else:
        fits, wanted = value in kind.names if isinstance(value, str) else False, "TYPE_ENUM"
    if not fits:
        problems.append(_Problem(place, f"Invalid value at '{place}' ({wanted}), {ascii(value)[:80]}"))
    return int(value) if fits and isinstance(kind, Whole) and isinstance(value, str | int | float) else value


def _read_fields(value: object, message: Message, place: str, problems: list[_Problem]) -> JsonObject:
    if not isinstance(value, dict):
        problems.append(_Problem(place, f"Invalid value at '{place}' (an object is wanted)"))
        return {}
    read: JsonObject = {}
    for given, item in value.items():
        name = camel(given)
        if name in message.fields:
            below = f"{place}.{snake(name)}" if place else snake(name)
            if item is not None:
                read[name] = _read(item, message.fields[name], below, problems)
        elif message.open:
            read[given] = item
        else:
            where = f" at '{place}'" if place else ""
            problems.append(_Problem(place, f'Unknown name "{ascii(given)[1:-1]}"{where}: Cannot find field.'))
    return read


def _whole(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return re.fullmatch(r"-?[0-9]{1,18}", value) is not None
    return (isinstance(value, int) or (isinstance(value, float) and value.is_integer())) and abs(value) < 2**63


def _encodable(text: str) -> bool:
    """Whether UTF-8 can hold it: half a surrogate pair cannot be stored."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _refused(problems: list[_Problem]) -> Refused:
    violations = [{"field": problem.place, "description": problem.text} for problem in problems]
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
    text = "\n".join(problem.text for problem in problems)
    return Refused(400, f"Invalid JSON payload received. {text}", details=[detail])
