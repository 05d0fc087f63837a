"""The page of rules is the rule table, row by row."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from batchctl.reconcile.table import FIRST_RULES, RULES, STACK_RULES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "rules.md"


def test_the_page_is_current() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_rules.py"))["rules_page"]()
    assert PAGE.read_text(encoding="utf-8") == page, "run python docs/generate_rules.py"


@pytest.mark.parametrize("rule", [*FIRST_RULES, *RULES, *STACK_RULES], ids=lambda rule: rule.id)
def test_a_row_has_no_more_cells_than_its_table(rule) -> None:
    assert "|" not in f"{rule.id}{rule.does}{rule.why_here}"


def test_the_walk_of_the_architecture_page_names_what_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walk = page[page.index("## Why was this job cancelled?") :]
    assert "`same-work`" in walk
    for name in ("batchctl/reconcile/table.py", "batchctl/reconcile/decide/remote.py", "batchctl/model/reasons.py"):
        assert f"`{name}`" in walk
        assert (ROOT / name).is_file()
