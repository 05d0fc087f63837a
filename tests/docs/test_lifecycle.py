"""One table describes the members of `lifecycle`: the value, the schemas and docs/lifecycle.md go by it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from batchctl.model.lifecycle import LIFECYCLE, Lifecycle, LifecycleField
from batchctl.report.describe_document import lifecycle_fields
from tests.support.values import field_names

ROOT = Path(__file__).resolve().parents[2]


def test_every_member_is_in_the_table_once() -> None:
    assert [one.attribute for one in LIFECYCLE] == list(field_names(Lifecycle))
    assert len({one.name for one in LIFECYCLE}) == len({one.record_name for one in LIFECYCLE}) == len(LIFECYCLE)


def test_reports_show_every_member() -> None:
    assert list(lifecycle_fields(Lifecycle())) == [one.name for one in LIFECYCLE]


def test_the_schemas_are_current() -> None:
    files: dict[Path, str] = runpy.run_path(str(ROOT / "docs" / "generate_lifecycle.py"))["schema_files"]()
    assert {path.name for path in files} == {"batchjob.schema.json", "describe.schema.json", "state-show.schema.json"}
    for path, text in files.items():
        assert json.loads(path.read_text(encoding="utf-8")) == json.loads(text), "run python docs/generate_lifecycle.py"


@pytest.mark.parametrize("one", LIFECYCLE, ids=[one.name for one in LIFECYCLE])
def test_the_page_explains_every_member(one: LifecycleField) -> None:
    page = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    table = page.partition("## Fields")[2].partition("## Retries")[0]
    assert any(f"`{one.name}`" in line.split("|")[1] for line in table.splitlines() if line.startswith("|"))
