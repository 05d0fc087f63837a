"""Holds JSON values against the schemas of a discovery document.

Owns what a value must be: its type, its format, its members, and so on down every `$ref`. Knows no call and no path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from enum import Enum
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Schemas: TypeAlias = Mapping[str, Schema]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_TEXTS = {
    "google-datetime": _TIME,
    "date-time": _TIME,
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "google-duration": re.compile(r"-?\d+(\.\d{1,9})?s"),
    "byte": re.compile(r"[A-Za-z0-9+/_-]*={0,2}"),
    "google-fieldmask": re.compile(r"[A-Za-z0-9_.,*]*"),
}
_RANGES = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
_TYPE_URL = "type.googleapis.com/"
UNTYPED = "does not say its @type"
"""The fault of a message of any type that does not say which; a mask may have cut that away."""
_NO_SCHEMA = frozenset({"protobuf", "rpc"})
"""Packages whose types a document need not have."""


class Way(Enum):
    """Which way a value goes."""

    SENT = "sent"
    """By a client: what only a server sets is a fault, and so is the lack of what is required."""
    ANSWERED = "answered"
    NUMBERED = "numbered"
    """An answer whose enums are numbers, as the caller asked."""


class Values:
    """What the values of one document may be."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def resolve(self, schema: Schema) -> Schema:
        """The schema behind a reference."""
        return self.resolve(self._schemas[schema["$ref"]]) if "$ref" in schema else schema

    def faults(self, value: Any, schema: Schema, place: str, way: Way) -> Iterator[str]:
        """All that is wrong with a value."""
        schema = self.resolve(schema)
        match schema.get("type", "object"):
            case "any":
                return
            case "object":
                yield from self._object_faults(value, schema, place, way)
            case "array":
                if not isinstance(value, list):
                    yield f"{place}: not an array: {value!r}"
                    return
                for position, item in enumerate(value):
                    yield from self.faults(item, schema["items"], f"{place}[{position}]", way)
            case _ if way is Way.NUMBERED and "enum" in schema and _integer_fault(value, {}) == "":
                return
            case scalar:
                wrong = _SCALARS[scalar](value, schema)
                if wrong:
                    yield f"{place}: {wrong}: {value!r}"

    def mask_faults(self, mask: str, schema: Schema, place: str) -> Iterator[str]:
        """What is wrong with a field mask, such as `items(name,size),nextPageToken` or `name,error.code`."""
        rest = yield from self._mask_list(mask, schema, place)
        if rest:
            yield f"{place}: cannot be read from {rest!r} on"

    def _object_faults(self, value: Any, schema: Schema, place: str, way: Way) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place}: not an object: {value!r}"
            return
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            here = f"{place}.{name}" if place else name
            if name not in known and others is None:
                yield f"{here}: unknown field of {schema.get('id', 'an object')}"
                continue
            found = known.get(name, others)
            if way is Way.SENT and found.get("readOnly"):
                yield f"{here}: only the server sets it"
            yield from self.faults(item, found, here, way)
        if way is Way.SENT:
            for name in sorted(known.keys() - value.keys()):
                if known[name].get("description", "").startswith("Required."):
                    yield f"{place}.{name}".lstrip(".") + ": required"
        if schema.get("typed") and "@type" not in value:
            yield f"{place}: {UNTYPED}"
        if others is not None and "@type" in value:
            yield from self._typed_faults(value, place, way)

    def _typed_faults(self, value: Mapping[str, Any], place: str, way: Way) -> Iterator[str]:
        """A message of any type, which says itself what it is."""
        url = str(value["@type"])
        parts = url.removeprefix(_TYPE_URL).split(".")
        if not isinstance(value["@type"], str):
            yield f"{place}.@type: not a string: {value['@type']!r}"
            return
        schema = self._schemas.get("".join(part[:1].upper() + part[1:] for part in parts))
        if not url.startswith(_TYPE_URL) or (schema is None and not _NO_SCHEMA & set(parts)):
            yield f"{place}.@type: unknown type: {url!r}"
        elif schema is not None:
            members = {name: item for name, item in value.items() if name != "@type"}
            yield from self._object_faults(members, self.resolve(schema), place, way)

    def _mask_list(self, text: str, schema: Schema, place: str) -> Generator[str, None, str]:
        """Read a list of fields; gives what comes behind it."""
        rest = yield from self._mask_item(text, schema, place)
        while rest.startswith(","):
            rest = yield from self._mask_item(rest[1:], schema, place)
        return rest

    def _mask_item(self, text: str, schema: Schema, place: str) -> Generator[str, None, str]:
        """Read one field, with what is chosen below it; gives what comes behind it."""
        name, end, rest = _cut(text)
        found = schema if name == "*" else self._member(schema, name)
        if found is None:
            yield f"{place}: {schema.get('id', 'an object')} has no {name!r}"
            found = {"type": "any"}
        if end in {"/", "."}:
            return (yield from self._mask_item(rest, found, place))
        if end != "(":
            return f"{end}{rest}"
        rest = yield from self._mask_list(rest, found, place)
        if not rest.startswith(")"):
            yield f"{place}: a bracket is never closed"
        return rest[1:]

    def _member(self, schema: Schema, name: str) -> Schema | None:
        found = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
        if found is None and schema.get("type") == "any":
            return schema
        found = found and self.resolve(found)
        return self.resolve(found["items"]) if found and found.get("type") == "array" else found


def _cut(text: str) -> tuple[str, str, str]:
    """The name that a mask begins with, the sign that ends it, and the rest."""
    match = re.match(r"([^,()/.]*)([,()/.]?)(.*)", text, re.DOTALL)
    assert match is not None
    return match[1], match[2], match[3]


def _string_fault(value: Any, schema: Schema) -> str:
    if not isinstance(value, str):
        return "not a string"
    format_ = schema.get("format")
    if format_ in _RANGES:
        return "" if _INTEGER.fullmatch(value) and _fits(int(value), format_) else f"not an {format_}"
    if format_ in _TEXTS and not _TEXTS[format_].fullmatch(value):
        return f"not a {format_}"
    if "enum" in schema and value not in schema["enum"]:
        return "not one of the values"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"does not match {schema['pattern']}"
    return ""


def _integer_fault(value: Any, schema: Schema) -> str:
    sound = isinstance(value, int) and not isinstance(value, bool) and _fits(value, schema.get("format", "int64"))
    return "" if sound else "not an integer of its size"


def _number_fault(value: Any, _schema: Schema) -> str:
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else "not a number"


def _boolean_fault(value: Any, _schema: Schema) -> str:
    return "" if isinstance(value, bool) else "not a boolean"


def _fits(number: int, format_: str) -> bool:
    low, high = _RANGES[format_]
    return low <= number <= high


_SCALARS: dict[str, Callable[[Any, Schema], str]] = {
    "string": _string_fault,
    "integer": _integer_fault,
    "number": _number_fault,
    "boolean": _boolean_fault,
}
