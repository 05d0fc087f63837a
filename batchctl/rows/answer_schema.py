"""The schema that a request asks its answer to match, compiled to check answers.

Requests carry one of two forms: JSON Schema (`responseJsonSchema`), and the APIs' own subset of OpenAPI
(`responseSchema`), which is translated. A schema that is not valid, or that refers to another document, checks nothing:
the API is the one to refuse it. Nothing is ever fetched. Source: reference chapter 7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from batchctl.model.json_value import Json
from batchctl.model.pattern import Pattern

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
"""Whole numbers; proto-JSON may write them as strings."""
_BOUNDS = ("minimum", "maximum", "pattern", "required")
_SNAKE = Pattern(r"_([a-z])")
_LONGEST_COUNT = 18


class AnswerSchema:
    """A compiled schema."""

    def __init__(self, is_valid: Callable[[Json], bool]) -> None:
        self._is_valid = is_valid

    def matches(self, value: Json) -> bool:
        """Whether a value matches; True where the schema cannot be followed."""
        from referencing.exceptions import Unresolvable

        try:
            return self._is_valid(value)
        except (Unresolvable, RecursionError, ArithmeticError):
            # A reference that leads nowhere or in a circle, or a number beyond what can be compared.
            return True


def compile_json_schema(schema: Json) -> AnswerSchema | None:
    """A JSON Schema, compiled; None for one that is not valid."""
    import jsonschema
    from referencing import Registry

    if not isinstance(schema, Mapping | bool):
        return None
    validator: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        usable = _without_foreign_patterns(schema)
        validator.check_schema(usable)
    except (jsonschema.SchemaError, RecursionError, ArithmeticError):
        return None
    # With a registry of its own it never goes to the network for a reference.
    compiled = validator(usable, registry=Registry())
    return AnswerSchema(compiled.is_valid)


def compile_openapi_schema(schema: Json) -> AnswerSchema | None:
    """A `responseSchema`, compiled; None for one that is not valid."""
    try:
        return compile_json_schema(_translated(schema)) if isinstance(schema, Mapping) else None
    except RecursionError:
        return None


def _without_foreign_patterns(schema: Json) -> Json:
    """The schema without patterns that Python cannot read: JSON Schema has another language for them."""
    if isinstance(schema, list):
        return [_without_foreign_patterns(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: _without_foreign_patterns(value)
        for name, value in schema.items()
        if not (name == "pattern" and isinstance(value, str) and not _is_pattern(value))
        and not (name == "patternProperties" and isinstance(value, Mapping) and not all(map(_is_pattern, value)))
    }


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _translated(schema: Json) -> Json:
    """A schema of the OpenAPI subset as JSON Schema. Members that only describe are left out."""
    if not isinstance(schema, Mapping):
        return schema
    return dict(_members({_SNAKE.sub(lambda found: found[1].upper(), name): value for name, value in schema.items()}))


def _members(schema: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    is_nullable = schema.get("nullable") is True
    kind = str(schema.get("type", "")).lower()
    if kind in _TYPES:
        yield "type", [kind, "null"] if is_nullable else kind
    for name, nulls in (("enum", [None]), ("anyOf", [{"type": "null"}]), ("prefixItems", [])):
        if isinstance(schema.get(name), list) and schema[name]:
            yield name, [*map(_translated, schema[name]), *(nulls if is_nullable else [])]
    yield from ((name, count) for name in _COUNTS if (count := _count(schema.get(name))) is not None)
    yield from ((name, schema[name]) for name in _BOUNDS if schema.get(name) is not None)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping | bool):
            yield name, _translated(schema[name])
    for name, own in (("properties", "properties"), ("defs", "$defs"), ("$defs", "$defs")):
        if isinstance(schema.get(name), Mapping):
            yield own, {inner: _translated(value) for inner, value in schema[name].items()}
    reference = schema.get("ref", schema.get("$ref"))
    if isinstance(reference, str):
        yield "$ref", reference.replace("#/defs/", "#/$defs/")


def _count(value: Json) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_COUNT:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
