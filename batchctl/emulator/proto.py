"""Reads proto-JSON: accepts either spelling of a name, returns camelCase, refuses unknown names and wrong types.

A field in both spellings is refused, as protobuf's own conformance tests demand.

This module knows no message of an API; the services declare theirs. A value of the type `Anything` (maps, schemas,
args) is returned unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

import msgspec
from msgspec import field

from batchctl.emulator.wire import JsonObject, Refused


class Anything(msgspec.Struct, frozen=True):
    """Any JSON, returned unchanged with the names in it."""


class Struct(msgspec.Struct, frozen=True):
    """An object, returned unchanged with the names in it."""


class Text(msgspec.Struct, frozen=True):
    """A string."""


class Integer(msgspec.Struct, frozen=True):
    """An int32 or int64: an integer, or its digits in a string."""


class Number(msgspec.Struct, frozen=True):
    """A float or double: a number, or its digits in a string."""


class Boolean(msgspec.Struct, frozen=True):
    """A boolean."""


class Bytes(msgspec.Struct, frozen=True):
    """Bytes in base64."""


class OpenEnum(msgspec.Struct, frozen=True):
    """An enum of which not every name is known here; a number is accepted, too."""


class Choice(msgspec.Struct, frozen=True):
    """The name of an enum value, or its number, which is converted to the name."""

    names: tuple[str, ...]
    """In the order of their numbers, from 0 on."""


class Repeated(msgspec.Struct, frozen=True):
    """A repeated field; with `lone`, a single value is accepted as a list of one."""

    of: Kind
    lone: bool = False


class Message(msgspec.Struct, frozen=True):
    """A message with its fields by camelCase name; an `open` message accepts unknown names."""

    fields: Mapping[str, Kind] = field(default_factory=dict)
    open: bool = False


Scalar: TypeAlias = Text | Integer | Number | Boolean | Bytes | OpenEnum | Choice
Kind: TypeAlias = Anything | Struct | Scalar | Repeated | Message


class _Problem(msgspec.Struct, frozen=True):
    place: str
    text: str


def read_message(value: object, message: Message, place: str = "") -> JsonObject:
    """The message in camelCase. Raises Refused (400), which lists all problems. Source: reference 9."""
    problems: list[_Problem] = []
    read = _read(value, message, place, problems)
    if problems:
        raise _refused(problems)
    assert isinstance(read, dict)
    return read


@cache
def snake(name: str) -> str:
    """The proto spelling of a camelCase name, which the API uses in paths."""
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


def camel(name: str) -> str:
    """The JSON spelling of a snake_case name; a camelCase name is unchanged."""
    if "_" not in name:
        return name
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _read(value: object, kind: Kind, place: str, problems: list[_Problem]) -> object:
    if isinstance(kind, Message):
        return _read_fields(value, kind, place, problems)
    if isinstance(kind, Repeated):
        if kind.lone and isinstance(value, str | dict):
            value = [value]
        if not isinstance(value, list):
            problems.append(_Problem(place, f"Invalid value at '{place}' (a list is expected)"))
            return []
        return [_read(item, kind.of, f"{place}[{position}]", problems) for position, item in enumerate(value)]
    if isinstance(kind, Struct) and not isinstance(value, dict):
        problems.append(_Problem(place, f"Invalid value at '{place}' (type.googleapis.com/google.protobuf.Struct)"))
    if isinstance(kind, Anything | Struct):
        return value
    return _read_scalar(value, kind, place, problems)


def _read_scalar(value: object, kind: Scalar, place: str, problems: list[_Problem]) -> object:
    wanted = _TYPES[type(kind)]
    if not _fits(value, kind):
        problems.append(_Problem(place, f"Invalid value at '{place}' ({wanted}), {ascii(value)[:80]}"))
        return value
    if isinstance(kind, Choice) and not isinstance(value, str):
        assert isinstance(value, int | float)
        return kind.names[int(value)]
    if isinstance(kind, Integer):
        assert isinstance(value, str | int | float)
        return int(value)
    return float(value) if isinstance(kind, Number) and isinstance(value, str) else value


_TYPES: Mapping[type[Scalar], str] = {
    Text: "TYPE_STRING",
    Integer: "TYPE_INT64",
    Number: "TYPE_DOUBLE",
    Boolean: "TYPE_BOOL",
    Bytes: "TYPE_BYTES",
    OpenEnum: "TYPE_ENUM",
    Choice: "TYPE_ENUM",
}
"""The type names in the API's errors."""


def _fits(value: object, kind: Scalar) -> bool:
    match kind:
        case Text():
            return isinstance(value, str) and _encodable(value)
        case Integer():
            return _whole(value)
        case Number():
            return _real(value)
        case Boolean():
            return isinstance(value, bool)
        case Bytes():
            return isinstance(value, str) and _BASE64.fullmatch(value) is not None
        case OpenEnum():
            return isinstance(value, str | int) and not isinstance(value, bool)
        case Choice(names):
            return value in names or (_whole(value) and not isinstance(value, str) and value in range(len(names)))


_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]*(?:={1,2}\s*)?")


def _real(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_fields(value: object, message: Message, place: str, problems: list[_Problem]) -> JsonObject:
    if not isinstance(value, dict):
        problems.append(_Problem(place, f"Invalid value at '{place}' (an object is expected)"))
        return {}
    read: JsonObject = {}
    for given, item in value.items():
        name = camel(given)
        if name in message.fields:
            below = f"{place}.{snake(name)}" if place else snake(name)
            if given != name and name in value:
                problems.append(_Problem(below, f"Invalid value at '{below}', the field is given in both spellings"))
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
    """Whether the text can be encoded in UTF-8: half a surrogate pair cannot."""
    return text.isascii() or _SURROGATE.search(text) is None


_SURROGATE = re.compile("[\ud800-\udfff]")


def _refused(problems: list[_Problem]) -> Refused:
    violations = [{"field": problem.place, "description": problem.text} for problem in problems]
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
    text = "\n".join(problem.text for problem in problems)
    return Refused(400, f"Invalid JSON payload received. {text}", details=[detail])
