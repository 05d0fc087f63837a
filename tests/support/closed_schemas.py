"""The published schemas with unknown keys forbidden, so that a test sees a key that is not described."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMAS = Path(__file__).parents[2] / "schemas"


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """All parts of a schema that describe objects by their properties."""
    if isinstance(schema, dict):
        if "properties" in schema and "type" in schema:
            yield schema
        for part in schema.values():
            yield from objects(part)


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with unknown keys forbidden."""
    schema = copy.deepcopy(schema)
    for part in objects(schema):
        part["additionalProperties"] = False
    return schema


@cache
def _validator(name: str) -> jsonschema.Draft7Validator:
    schema = json.loads((_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(closed(schema))


def check_closed(name: str, document: Any) -> None:
    """Hold a document against a schema: it has no key that is not described."""
    faults = [f"{'.'.join(map(str, one.path))}: {one.message[:300]}" for one in _validator(name).iter_errors(document)]
    assert not faults, (name, faults)
