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
    validator = jsonschema.Draft7Validator(json.loads(_schema_text(schema)))
    error = best_match(validator.iter_errors(document))
    if error is not None:
        reason = "does not apply here" if error.validator == "not" else error.message
        raise Invalid(f"{name}{error.json_path.removeprefix('$')}: {reason}")


def _schema_text(schema: str) -> str:
    packaged = files("batchctl") / "schemas" / schema
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schemas" / schema).read_text(encoding="utf-8")
