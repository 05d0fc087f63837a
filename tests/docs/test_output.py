"""The samples of docs/output.md and docs/json.md come from runs of the product."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path

import jsonschema
import pytest

from batchctl.model.outcome import Result
from batchctl.model.states import Phase
from batchctl.report.explain import ConditionType
from batchctl.report.words import SYMBOLS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OUTPUT = (DOCS / "output.md").read_text(encoding="utf-8")
JSON = (DOCS / "json.md").read_text(encoding="utf-8")
DOCUMENTS = re.findall(r"```json\n(.*?)```", JSON, re.DOTALL)


def test_the_samples_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    pages = runpy.run_path(str(DOCS / "generate_output.py"))["output_pages"]()
    for path, page in pages.items():
        assert path.read_text(encoding="utf-8") == page, "run python docs/generate_output.py"


@pytest.mark.parametrize("text", DOCUMENTS)
def test_each_sample_fits_its_schema(text: str) -> None:
    document = json.loads(text)
    name = "error" if list(document) == ["error"] else document.get("format", "/results-row/").split("/")[1]
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(document)


def test_the_tables_are_complete() -> None:
    for action, (sign, _style) in SYMBOLS.items():
        assert f"| `{sign}` | `{action}` |" in OUTPUT
    assert all(f"\n| `{result}` | " in OUTPUT for result in Result)
    phases = OUTPUT.partition("| phase |")[2].partition("\n\n")[0]
    assert all(f"`{phase}`" in phases for phase in Phase)
    types = JSON.partition("| type |")[2].partition("\n\n")[0]
    assert all(f"`{one}`" in types for one in ConditionType)
