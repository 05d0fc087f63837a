"""Every test that the track record names exists."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "track-record.md"


def test_each_error_names_tests_that_exist() -> None:
    sources = {f"{path.parent.name}/{path.name}": path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and "| error | found by" not in line
    ]
    assert rows
    for row in rows:
        named = re.findall(r"([a-z]+/test_\w+\.py)", row)
        assert named or set(row) <= set("| -"), f"names no test: {row[:80]}"
        assert [name for name in named if name not in sources] == [], row[:80]
    for name, test in re.findall(r"([a-z]+/test_\w+\.py)::(?:Test\w+::)?(test_\w+)", "\n".join(rows)):
        assert re.search(rf"def {test}\b", sources[name]) or f"def {test}" in sources[name], f"{name}::{test}"
