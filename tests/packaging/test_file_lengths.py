"""A file of more than 300 lines says in its docstring why it is not split; of the package, none is much longer."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 300
MOST_WITH_A_REASON = 320
CATALOGUE = Path("model/codes.py")
"""One enum, which cannot be spread over modules."""
REASON = "The file is long because "


def unexplained(folder: Path) -> list[str]:
    """The long files below a folder whose docstrings give no reason."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*.py"))
        if (text := path.read_text(encoding="utf-8")).count("\n") > MOST_LINES
        and REASON not in " ".join((ast.get_docstring(ast.parse(text)) or "").split())
    ]


@pytest.mark.parametrize("folder", ["batchctl", "tests/support"])
def test_a_long_file_has_a_reason(folder: str) -> None:
    assert unexplained(ROOT / folder) == []


def test_a_reason_is_no_licence_to_grow() -> None:
    package = ROOT / "batchctl"
    lengths = {
        path.relative_to(package): path.read_text(encoding="utf-8").count("\n") for path in package.rglob("*.py")
    }
    assert lengths.pop(CATALOGUE) > MOST_WITH_A_REASON
    assert {path: length for path, length in lengths.items() if length > MOST_WITH_A_REASON} == {}


def test_a_long_file_without_a_reason_is_named(tmp_path: Path) -> None:
    lines = "\n" * MOST_LINES
    (tmp_path / "short.py").write_text(lines)
    (tmp_path / "long.py").write_text(f"{lines}\n")
    (tmp_path / "explained.py").write_text(f'"""A list.\n\nThe file is long because it is one list.\n"""{lines}')
    assert unexplained(tmp_path) == ["long.py"]
