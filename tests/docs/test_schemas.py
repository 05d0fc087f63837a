"""What the schemas of manifests say of requests is made from the model of requests."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATED = runpy.run_path(str(ROOT / "docs" / "generate_schemas.py"))


@pytest.mark.parametrize("name", GENERATED["NAMES"])
def test_the_schemas_are_current(name: str) -> None:
    text = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert text == GENERATED["current"](name), "run python docs/generate_schemas.py"
