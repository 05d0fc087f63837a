"""Plain English: words with a private meaning do not appear in the product, its docs and its schemas."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = re.compile(
    r"\b(?:told|anew|whoever|nobody's business|lets? go of|in vain|st(?:ands?|anding|ood) (?:by|there))\b",
    re.IGNORECASE,
)
ALLOWED = {
    ("batchctl/model/events.py", "looked for in vain"),  # the words of an event in states of older versions
}
CODE = sorted((ROOT / "batchctl").rglob("*.py"))
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "schemas").rglob("*.json")),
]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def strings(path: Path) -> Iterator[ast.Constant]:
    """The docstrings and messages of a module, also the parts of f-strings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def docstrings(path: Path) -> Iterator[ast.Constant]:
    """The docstrings of a module, its classes, functions and attributes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def without_names(text: str) -> str:
    """Text without names in backticks, such as the name of a test."""
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a warning that nobody is told", ["told"]),
        ("Whoever let it begin", ["Whoever"]),
        ("they stand there; it stood by its hash", ["stand there", "stood by"]),
        ("X was let go of", ["let go of"]),
        ("X is released; `test_it_is_told` shows it", []),
    ],
)
def test_private_words_are_found(text: str, found: list[str]) -> None:
    assert PRIVATE.findall(without_names(text)) == found


def test_docstrings_and_messages_have_no_private_words() -> None:
    found = {
        f"{name_of(path)}:{text.lineno}: {text.value}"
        for path in CODE
        for text in strings(path)
        if PRIVATE.search(text.value) and (name_of(path), text.value) not in ALLOWED
    }
    assert found == set()


def test_pages_and_schemas_have_no_private_words() -> None:
    found = {
        f"{name_of(path)}:{number}: {line}"
        for path in PAGES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if PRIVATE.search(without_names(line))
    }
    assert found == set()


def test_docstrings_do_not_begin_with_what() -> None:
    found = {
        f"{name_of(path)}:{text.lineno}" for path in CODE for text in docstrings(path) if text.value[:5] == "What "
    }
    assert found == set()
