"""Decisions have numbers of their own, are in the index with their titles, and name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("0*.md"))


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def test_each_number_is_used_once() -> None:
    numbers = [page.name[:4] for page in PAGES]
    assert sorted(set(numbers)) == numbers


def test_the_index_has_every_decision_with_its_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = sorted(re.findall(r"^- (\[\d{4}\].*)$", index, re.MULTILINE))
    assert lines == [f"[{page.name[:4]}]({page.name}) {_title(page)}" for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_decision_has_a_question_and_a_choice_and_names_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "**Question.**" in text
    assert "**Choice.**" in text
    roots = (FOLDER.parents[1], FOLDER.parents[1] / "batchctl")
    paths = re.findall(r"`((?:[a-z]+/)+[\w./]+\.(?:py|md|json|yaml))`", text)
    assert [path for path in paths if not any((root / path).exists() for root in roots)] == []
    assert [link for link in re.findall(r"\]\((\d{4}[^)]*)\)", text) if not (FOLDER / link).exists()] == []
