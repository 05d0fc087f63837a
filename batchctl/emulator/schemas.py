"""Checks documents from outside against the emulator's own JSON Schemas, and names the place of what is wrong."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
from jsonschema.exceptions import best_match


class Invalid(ValueError):
    """A document does not fit its schema; the text names the place."""


def check(document: object, schema: str, name: str) -> None:
    """Raise Invalid unless `document` fits `schemas/<schema>`; `name` is what the message calls the document."""
    _check_names(document, name)
    validator = jsonschema.Draft7Validator(json.loads(_schema_text(schema)))
    error = best_match(validator.iter_errors(document))
    if error is not None:
        reason = "does not apply here" if error.validator == "not" else error.message
        raise Invalid(f"{name}{error.json_path.removeprefix('$')}: {reason}")


def _check_names(document: object, place: str) -> None:
    """Raise Invalid for a name that is no text, which YAML has and a schema cannot judge."""
    for name, below in document.items() if isinstance(document, dict) else ():
        if not isinstance(name, str):
            raise Invalid(f"{place}: the name {name!r} is no text; put it in quotes")
        _check_names(below, f"{place}.{name}")
    for position, below in enumerate(document if isinstance(document, list) else ()):
        _check_names(below, f"{place}[{position}]")


def _schema_text(schema: str) -> str:
    packaged = files("batchctl") / "schemas" / schema
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schemas" / schema).read_text(encoding="utf-8")
