"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from batchctl.model.pattern import Pattern

METHODS = ("fullmatch", "match", "search", "findall", "split")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("text", ["", "ab1", "b22 c3", "AB1"])
def test_each_method_gives_the_same_as_a_compiled_one(method: str, text: str) -> None:
    lazy, compiled = Pattern("[a-z]+([0-9])", re.IGNORECASE), re.compile("[a-z]+([0-9])", re.IGNORECASE)
    for _ in range(2):
        found, wanted = getattr(lazy, method)(text), getattr(compiled, method)(text)
        assert repr(found) == repr(wanted)


def test_parts_are_replaced_and_found_one_by_one() -> None:
    lazy = Pattern("[0-9]")
    assert lazy.sub("-", "a1b2") == "a-b-"
    assert [found[0] for found in lazy.finditer("a1b2")] == ["1", "2"]


def test_a_wrong_pattern_is_found_at_its_first_use() -> None:
    lazy = Pattern("(")
    with pytest.raises(re.error):
        lazy.match("")


def test_there_is_no_other_member() -> None:
    with pytest.raises(AttributeError, match="groups"):
        _ = Pattern("a").groups  # type: ignore[attr-defined]
