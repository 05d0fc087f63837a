"""The page of errors, and the catalogue behind it, know every code that the code uses, and no other."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchctl.model.codes import ErrorCode

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "errors.md"
CATALOGUE = ROOT / "batchctl" / "model" / "codes.py"


def used_codes() -> Iterator[str]:
    for path in (ROOT / "batchctl").rglob("*.py"):
        if path != CATALOGUE:
            yield from re.findall(r"\bErrorCode\.([A-Z_]+)", path.read_text(encoding="utf-8"))


def literal_codes() -> Iterator[str]:
    """Codes given as text, past the catalogue."""
    for path in sorted((ROOT / "batchctl").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_code = isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant)
            if is_code and isinstance(node.value.value, str):
                yield f"{path.relative_to(ROOT)}:{node.value.lineno}: {node.value.value}"


def test_the_page_is_current() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_errors.py"))["errors_page"]()
    assert PAGE.read_text(encoding="utf-8") == page, "run python docs/generate_errors.py"


def test_every_code_of_the_catalogue_is_used() -> None:
    assert {code.name for code in ErrorCode} - set(used_codes()) == set()


def test_no_error_carries_a_code_past_the_catalogue() -> None:
    assert list(literal_codes()) == []


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_says_what_it_means_why_and_the_way_out(code: ErrorCode) -> None:
    assert re.fullmatch(r"([A-Z][a-z]+)+", code.value)
    for text in (code.meaning, code.cause, code.way_out):
        assert text.endswith((".", ":")), text
