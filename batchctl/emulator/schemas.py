"""Checks documents from outside against the emulator's JSON Schemas; errors name the place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match

_PLAIN_NAME = re.compile(r"[A-Za-z]{1,30}")
"""Only a name of this form is quoted in messages, because it may be a typing error. No other content is quoted."""


class Invalid(ValueError):
    """A document does not fit its schema; the text names the place."""


def check(document: object, schema: str, name: str) -> None:
    """Raise Invalid unless `document` fits `schemas/<schema>`; `name` is what messages call the document."""
    wanted: Any = json.loads(_schema_text(schema), object_hook=_resolved)
    known = frozenset(_names(wanted))
    _check_names(document, name, known)
    error: Any = best_match(jsonschema.Draft7Validator(wanted).iter_errors(document))
    if error is not None:
        raise Invalid(f"{_place(name, document, error.absolute_path, known)}: {_reason(error)}")


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema; a reference to another schema is replaced by that schema."""
    other = part.get("$ref", "")
    if not (isinstance(other, str) and other.endswith(".schema.json")):
        return part
    found: dict[str, Any] = json.loads(_schema_text(other), object_hook=_resolved)
    return found


def _reason(error: Any) -> str:  # noqa: ANN401  the library's types do not say that every error of a schema has all of it
    """The error in terms of the schema alone: the document may be a file that must not be shown."""
    wanted = error.validator_value
    match error.validator:
        case "not":
            return "does not apply here"
        case "required":
            return f"{', '.join(repr(name) for name in wanted if name not in error.instance)} is a required property"
        case "additionalProperties":
            unknown = [name for name in error.instance if name not in error.schema.get("properties", {})]
            shown = ", ".join(repr(name) if _PLAIN_NAME.fullmatch(name) else "a name" for name in unknown)
            return f"Additional properties are not allowed ({shown} was unexpected)"
        case "type":
            return f"must be of type {wanted if isinstance(wanted, str) else ', '.join(wanted)}"
        case "enum":
            return f"must be one of {', '.join(map(str, wanted))}"
        case _ if isinstance(wanted, str | int | float):
            return f"does not fit {error.validator} {wanted}"
        case _:
            return f"does not fit the schema ({error.validator})"


def _names(schema: Any) -> Iterator[str]:  # noqa: ANN401  any part of a schema
    """The property names in a schema, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for below in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _names(below)


def _place(name: str, document: Any, path: Iterable[str | int], known: frozenset[str]) -> str:  # noqa: ANN401  any JSON
    """The path to the invalid value."""
    place = name
    for part in path:
        place += _step(document, part, known)
        document = document[part]
    return place


def _step(document: Any, part: str | int, known: frozenset[str]) -> str:  # noqa: ANN401  any JSON
    """One step of a path. A name chosen by the document's author is replaced by its number."""
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if part in known else f".[name {list(document).index(part) + 1}]"


def _check_names(document: object, place: str, known: frozenset[str]) -> None:
    """Raise Invalid for a key that is not a string, which YAML allows and a schema cannot check."""
    for number, (name, below) in enumerate(document.items() if isinstance(document, dict) else (), start=1):
        if not isinstance(name, str):
            raise Invalid(f"{place}: name {number} is not a string; put it in quotes")
        _check_names(below, f"{place}.{name}" if name in known else f"{place}.[name {number}]", known)
    for position, below in enumerate(document if isinstance(document, list) else ()):
        _check_names(below, f"{place}[{position}]", known)


def _schema_text(schema: str) -> str:
    packaged = files("batchctl") / "schemas" / schema
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schemas" / schema).read_text(encoding="utf-8")
