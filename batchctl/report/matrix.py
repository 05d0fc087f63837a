"""The manifest with a matrix that a job comes from, and its axis values."""

from __future__ import annotations

from batchctl.model.desired import Expansion
from batchctl.model.json_value import Json


def matrix_words(path: str, expansion: Expansion) -> str:
    """For people: `jobs/translate.yaml:1 with lang=fr`."""
    return f"{path}:{expansion.line} with {expansion}"


def matrix_member(path: str, expansion: Expansion | None) -> dict[str, Json]:
    """For programs: the member `matrix`, of jobs whose manifest has one."""
    if expansion is None:
        return {}
    return {"matrix": {"path": path, "line": expansion.line, "values": dict(expansion.values)}}
