"""Suggestions for misspelt names: one function for all messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.suggest import closest, did_you_mean, similar, similar_in_case

PACKAGE = Path(__file__).resolve().parents[2] / "batchctl"
NAMES = ["translate", "Summarize", "t" * 61]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("translat", "did you mean translate?"),
        ("TRANSLATE", "did you mean translate?"),
        ("sumarize", "did you mean Summarize?"),
        ("xyz", "list them"),
        ("t" * 61, "list them"),
    ],
)
def test_the_hint_names_the_similar_name_or_another_way(word: str, hint: str) -> None:
    assert did_you_mean(word, NAMES, "list them") == hint


def test_without_another_way_the_hint_is_empty() -> None:
    assert did_you_mean("xyz", NAMES) == ""


def test_members_of_rows_are_compared_with_their_case() -> None:
    assert (similar("KEY", ["key"]), similar_in_case("KEY", ["key"])) == ("key", None)


def test_the_only_name_that_starts_with_the_word_is_closest() -> None:
    assert (closest("su", NAMES), closest("xyz", NAMES)) == ("Summarize", None)


def test_no_other_module_compares_names() -> None:
    users = [path.name for path in PACKAGE.rglob("*.py") if "difflib" in path.read_text(encoding="utf-8")]
    assert users == ["suggest.py"]
