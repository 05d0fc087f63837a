"""The JSON Schemas that are shipped with batchctl, by name.

Owns where they lie and how references between them are resolved; knows nothing of what they say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from batchctl.model.desired import Json
from batchctl.model.errors import UsageError

_SUFFIX = ".schema.json"
_PACKAGE = Path(__file__).resolve().parent.parent


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, sorted, such as `batchjob`."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in _folder().glob(f"*{_SUFFIX}")))


def schema_text(name: str) -> str:
    """One schema as JSON text that needs no other file. Raises UsageError for an unknown name."""
    return json.dumps(load_schema(name), indent=2, ensure_ascii=False) + "\n"


def load_schema(name: str) -> Json:
    """One schema, with what it refers to in other files put under its own `definitions`.

    Raises UsageError for an unknown name.
    """
    if name not in schema_names():
        raise UsageError(f"there is no schema {name!r}", hint=f"one of: {', '.join(schema_names())}")
    root = _read(name)
    borrowed: dict[str, Json] = {}
    rewritten = _rewrite(root, "", borrowed)
    if borrowed:
        rewritten["definitions"] = {**rewritten.get("definitions", {}), **borrowed}
    return rewritten


def _folder() -> Path:
    """The wheel carries the schemas inside the package; a checkout has them beside it."""
    inside = _PACKAGE / "schemas"
    return inside if inside.is_dir() else _PACKAGE.parent / "schemas"


def _read(name: str) -> Json:
    return json.loads((_folder() / f"{name}{_SUFFIX}").read_text(encoding="utf-8"))


def _rewrite(value: Json, owner: str, borrowed: dict[str, Json]) -> Json:
    """Copy a part of the schema `owner` (empty: the root's own), turning its references into local ones."""
    if isinstance(value, list):
        return [_rewrite(item, owner, borrowed) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _refer(member, owner, borrowed) if key == "$ref" else _rewrite(member, owner, borrowed)
        for key, member in value.items()
    }


def _refer(reference: str, owner: str, borrowed: dict[str, Json]) -> str:
    file, _, pointer = reference.partition("#")
    name = file.removesuffix(_SUFFIX) or owner
    if not name:
        return reference
    steps = pointer.removeprefix("/definitions/").split("/") if pointer else []
    key = ".".join([name, *steps[:1]])
    if key not in borrowed:
        borrowed[key] = {}
        schema = _read(name)
        part = schema["definitions"][steps[0]] if steps else dict(_without_frame(schema))
        borrowed[key] = _rewrite(part, name, borrowed)
    return "/".join(["#/definitions", key, *steps[1:]])


def _without_frame(schema: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    return ((key, member) for key, member in schema.items() if key not in ("$schema", "definitions"))
