"""The JSON Schemas that are shipped with batchctl, by name.

Finds the files and resolves references between them. What decides by a schema follows its references by need
(`schema_decision`); people and validators get it in one piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json

_SUFFIX = ".schema.json"
_PACKAGE = Path(__file__).resolve().parent.parent


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, sorted, such as `batchjob`."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in _folder().glob(f"*{_SUFFIX}")))


def schema_text(name: str) -> str:
    """One schema as JSON text that needs no other file. Raises UsageError for an unknown name."""
    import json  # to print one

    return json.dumps(load_schema(name), indent=2, ensure_ascii=False) + "\n"


def load_schema(name: str) -> Json:
    """One schema, with the parts of other files that it refers to in its own `definitions`.

    Raises UsageError for an unknown name.
    """
    if name not in schema_names():
        raise UsageError(f"there is no schema {name!r}", hint=f"one of: {', '.join(schema_names())}")
    return bundled(read_schema(name))


@cache
def read_schema(name: str) -> Json:
    """One schema as its file has it, with references to other files. Cached, and never changed: see `with_part`."""
    return msgspec.json.decode((_folder() / f"{name}{_SUFFIX}").read_bytes())


def with_part(schema: Mapping[str, Json], path: Sequence[str], part: Json) -> dict[str, Json]:
    """A copy of a schema with another part at a path of keywords and names."""
    name, *rest = path
    return {**schema, name: with_part(schema[name], rest, part) if rest else part}


def referred(reference: str) -> tuple[str, str]:
    """The schema and the definition that a reference names; empty: the schema that it is in, or all of it."""
    file, _, pointer = reference.partition("#")
    return file.removesuffix(_SUFFIX), pointer.removeprefix("/definitions/")


def definition_of(schema: Mapping[str, Json], name: str) -> Json:
    """A definition of a schema; for an empty name all of the schema, without its definitions."""
    if name:
        return schema["definitions"][name]
    return {key: member for key, member in schema.items() if key not in ("$schema", "definitions")}


def bundled(schema: Mapping[str, Json]) -> Json:
    """A schema with the parts of other files that it refers to in its own `definitions`."""
    return _Bundle().of(schema)


def _folder() -> Path:
    """In a wheel the schemas are inside the package; in a checkout they are beside it."""
    inside = _PACKAGE / "schemas"
    return inside if inside.is_dir() else _PACKAGE.parent / "schemas"


class _Bundle:
    """Builds one self-contained schema."""

    def __init__(self) -> None:
        self._borrowed: dict[str, Json] = {}

    def of(self, schema: Mapping[str, Json]) -> Json:
        root = self._rewrite(schema, "")
        if self._borrowed:
            root["definitions"] = {**root.get("definitions", {}), **self._borrowed}
        return root

    def _rewrite(self, value: Json, owner: str) -> Json:
        """Copy a part of the schema `owner` (empty: the root's own) with its references made local."""
        if isinstance(value, list):
            return [self._rewrite(item, owner) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: self._refer(member, owner) if key == "$ref" else self._rewrite(member, owner)
            for key, member in value.items()
        }

    def _refer(self, reference: str, owner: str) -> str:
        file, definition = referred(reference)
        name = file or owner
        if not name:
            return reference
        steps = definition.split("/") if definition else []
        key = ".".join([name, *steps[:1]])
        if key not in self._borrowed:
            # Added before it is rewritten: a definition may refer to itself.
            self._borrowed[key] = {}
            self._borrowed[key] = self._rewrite(definition_of(read_schema(name), "".join(steps[:1])), name)
        return "/".join(["#/definitions", key, *steps[1:]])
