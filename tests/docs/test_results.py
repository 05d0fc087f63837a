"""docs/results.md lists the columns and formats of results as they are."""

from __future__ import annotations

from pathlib import Path

from batchctl.cli.results_output import FORMATS
from batchctl.model.result_columns import COLUMNS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "results.md").read_text(encoding="utf-8")


def test_the_page_has_each_column_with_its_type_in_order() -> None:
    rows = "".join(f"| `{column.name}` | {column.type.value} | {column.meaning} |\n" for column in COLUMNS)
    assert f"| column | type | meaning |\n| --- | --- | --- |\n{rows}\n" in PAGE


def test_the_page_has_each_format() -> None:
    table = PAGE.split("## Formats")[1].split("##")[0]
    assert [name for name in FORMATS if f"`{name}`" not in table] == []
