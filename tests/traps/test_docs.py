"""The page about traps names every test there is, and none that there is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.traps import test_files as test_traps_files
from tests.traps import test_results as test_traps_results
from tests.traps import test_traps

HERE = Path(__file__).parent
TEXT = (HERE.parents[1] / "docs" / "traps.md").read_text()
ROWS = [row.split(" | ") for row in re.findall(r"^\| (.+) \|$", TEXT, re.MULTILINE)]
NAMED = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[-1])} - {"BATCHCTL_LONG=1"}
TABLES = {"test_three_jobs_come_through", "test_every_row_gets_its_own", "test_the_file_is_whole"}


def sections() -> dict[str, str]:
    """The section of each trap in the tables."""
    traps = {trap.name: trap.source for trap in (*test_traps.TRAPS, *test_traps_results.TRAPS)}
    return traps | {name: section for name, (section, _) in test_traps_files.TRAPS.items()}


def functions_of_tests() -> set[str]:
    found = set()
    for path in HERE.glob("test_*.py"):
        functions = [one for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef)]
        found |= {f"{path.name}::{one.name}" for one in functions if one.name.startswith("test_")}
    return found


def test_every_trap_is_on_the_page():
    own = {name for name in functions_of_tests() if name.startswith("test_docs.py")}
    expected = functions_of_tests() - own | set(sections())
    assert {name for name in expected if name.partition("::")[2] not in TABLES} == NAMED


def test_each_trap_stands_with_its_section():
    for row in ROWS:
        for name in re.findall(r"`([^`]+)`", row[-1]):
            if name in sections():
                assert set(sections()[name].split(", ")) <= set(row[1].split(", ")), name
