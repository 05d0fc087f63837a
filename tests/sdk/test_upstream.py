"""The SDK's own batch and file tests end against the emulator as the table says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sdk_own_tests import (
    UNKNOWN,
    Ended,
    Listed,
    Table,
    installed_version,
    problems,
    read_table,
    run_upstream,
)


def test_the_sdks_own_tests(tmp_path: Path) -> None:
    ended = run_upstream(tmp_path)
    assert problems(read_table(), ended, installed_version()) == [], "renew with: python tests/support/sdk_own_tests.py"


TABLE = Table("1.0", frozenset({"a"}), {"b": Listed("failed", "because"), "c": Listed("failed", "mock", "3.0")})
GOOD = {"a": Ended("passed"), "b": Ended("failed"), "c": Ended("passed")}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"a": Ended("failed", "oh")}, ["a: passed, but failed: oh"]),
        ({"a": Ended("skipped", "oh")}, ["a: passed, but skipped: oh"]),
        ({"b": Ended("passed")}, ["b: failed, but passed: "]),
        ({"b": Ended("skipped", "oh")}, ["b: failed, but skipped: oh"]),
        ({"c": Ended("failed", "oh")}, ["c: passed, but failed: oh"]),
        ({"d": Ended("passed")}, ["d: not in the table, but passed: "]),
        ({"d": Ended("failed", "oh")}, ["d: not in the table, but failed: oh"]),
    ],
)
def test_every_difference_from_the_table_is_a_problem(change: dict[str, Ended], told: list[str]) -> None:
    assert problems(TABLE, {**GOOD, **change}, "1.0") == told


def test_a_test_that_is_no_longer_there_is_a_problem() -> None:
    assert problems(TABLE, {"b": Ended("failed"), "c": Ended("passed")}, "1.0") == [
        "a: in the table, but there is no such test"
    ]


def test_of_another_version_only_what_the_table_knows_counts() -> None:
    other = {"b": Ended("passed"), "d": Ended("failed")}
    assert problems(TABLE, other, "1.1") == ["b: failed, but passed: "]


def test_a_table_that_contradicts_itself_or_gives_no_reason_is_a_problem() -> None:
    table = Table("1.0", frozenset({"a", "b"}), {"b": Listed("failed", UNKNOWN)})
    ended = {"a": Ended("passed"), "b": Ended("failed")}
    assert problems(table, ended, "1.0") == ["b: no reason is given", "b: stands as passed and as listed"]
