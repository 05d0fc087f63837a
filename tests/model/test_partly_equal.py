"""Values that are compared without some of their fields."""

from __future__ import annotations

from typing import ClassVar

from batchctl.model.partly_equal import PartlyEqual


class Thing(PartlyEqual, frozen=True, eq=False):
    BESIDE: ClassVar = frozenset({"note"})

    name: str
    note: str = ""


class Other(PartlyEqual, frozen=True, eq=False):
    BESIDE: ClassVar = frozenset({"note"})

    name: str
    note: str = ""


def test_what_is_noted_beside_it_does_not_count() -> None:
    assert Thing("a", "x") == Thing("a", "y")
    assert hash(Thing("a", "x")) == hash(Thing("a", "y"))
    assert Thing("a") != Thing("b")


def test_values_of_different_classes_differ() -> None:
    assert Thing("a") != Other("a")
    assert Thing("a") != "a"
