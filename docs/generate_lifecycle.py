"""Writes the members of `lifecycle` into the schemas from `model.lifecycle`: `python docs/generate_lifecycle.py`.

A test holds them current. Members that the table does not have, because they are not supported yet, stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path

from batchctl.model.json_value import Json
from batchctl.model.lifecycle import LIFECYCLE, manifest_schema, report_schema

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
_REPORTS = {"describe": ("desired", "recorded"), "state-show": ("recorded",)}


def schema_files() -> dict[Path, str]:
    """Each schema that has a part made from the table, with the text that it should have."""
    path = SCHEMAS / "batchjob.schema.json"
    schema = _read(path)
    lifecycle = schema["definitions"]["lifecycle"]
    made = {one.name: manifest_schema(one) for one in LIFECYCLE}
    lifecycle["properties"] = made | {name: part for name, part in lifecycle["properties"].items() if name not in made}
    files = {path: _text(schema)}
    for name, parts in _REPORTS.items():
        path = SCHEMAS / f"{name}.schema.json"
        schema = _read(path)
        for part in parts:
            lifecycle = schema["properties"][part]["properties"]["lifecycle"]
            lifecycle["required"] = [one.name for one in LIFECYCLE]
            lifecycle["properties"] = {one.name: report_schema(one) for one in LIFECYCLE}
        files[path] = _text(schema)
    return files


def _read(path: Path) -> Json:
    return json.loads(path.read_text(encoding="utf-8"))


def _text(schema: object) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in schema_files().items():
        path.write_text(text, encoding="utf-8")
