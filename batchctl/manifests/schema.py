"""The JSON Schemas that are shipped with batchctl, by name.

Finds the files and resolves references between them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json

_SUFFIX = ".schema.json"
_PACKAGE = Path(__file__).resolve().parent.parent


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, sorted, such as `batchjob`."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in _folder().glob(f"*{_SUFFIX}")))


def schema_text(name: str) -> str:
    """One schema as JSON text that needs no other file. Raises UsageError for an unknown name."""
    return json.dumps(load_schema(name), indent=2, ensure_ascii=False) + "\n"


def load_schema(name: str) -> Json:
    """One schema, with the parts of other files that it refers to in its own `definitions`.

    Raises UsageError for an unknown name.
    """
    if name not in schema_names():
        raise UsageError(f"there is no schema {name!r}", hint=f"one of: {', '.join(schema_names())}")
    return _Bundle().of(name)


def _folder() -> Path:
    """In a wheel the schemas are inside the package; in a checkout they are beside it."""
    inside = _PACKAGE / "schemas"
    return inside if inside.is_dir() else _PACKAGE.parent / "schemas"


def _read(name: str) -> Json:
    return json.loads((_folder() / f"{name}{_SUFFIX}").read_text(encoding="utf-8"))


class _Bundle:
    """Builds one self-contained schema; each file is read once."""

    def __init__(self) -> None:
        self._files: dict[str, Json] = {}
        self._borrowed: dict[str, Json] = {}

    def of(self, name: str) -> Json:
        root = self._rewrite(self._file(name), "")
        if self._borrowed:
            root["definitions"] = {**root.get("definitions", {}), **self._borrowed}
        return root

    def _file(self, name: str) -> Json:
        if name not in self._files:
            self._files[name] = _read(name)
        return self._files[name]

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
        file, _, pointer = reference.partition("#")
        name = file.removesuffix(_SUFFIX) or owner
        if not name:
            return reference
        steps = pointer.removeprefix("/definitions/").split("/") if pointer else []
        key = ".".join([name, *steps[:1]])
        if key not in self._borrowed:
            # Added before it is rewritten: a definition may refer to itself.
            self._borrowed[key] = {}
            schema = self._file(name)
            part = schema["definitions"][steps[0]] if steps else _without_frame(schema)
            self._borrowed[key] = self._rewrite(part, name)
        return "/".join(["#/definitions", key, *steps[1:]])


def _without_frame(schema: Mapping[str, Json]) -> dict[str, Json]:
    return {key: member for key, member in schema.items() if key not in ("$schema", "definitions")}
