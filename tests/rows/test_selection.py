"""Which rows of results are printed."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.rows.selection import RowSelection, judged

ROWS: list[dict[str, Any]] = [
    {"key": "good", "verdict": "OK", "response": {}},
    {"key": "cut", "verdict": "MAX_TOKENS", "response": {}},
    {"key": "blocked", "verdict": "SAFETY", "response": {}},
    {"key": None, "input": {"custom_id": "own"}, "verdict": "OK", "response": {}},
]
JSON_ASKED = {"contents": [], "generationConfig": {"responseMimeType": "application/json"}}


@pytest.mark.parametrize(
    ("selection", "accepted", "keys"),
    [
        (RowSelection(), set(), ["good", "cut", "blocked", None]),
        (RowSelection(failed=True), set(), ["cut", "blocked"]),
        (RowSelection(failed=True), {"MAX_TOKENS"}, ["blocked"]),
        (RowSelection(codes=frozenset({"MAX_TOKENS", "OK"})), set(), ["good", "cut", None]),
        (RowSelection(failed=True, codes=frozenset({"MAX_TOKENS", "OK"})), set(), ["cut"]),
        (RowSelection(keys=frozenset({"cut", "own"})), set(), ["cut", None]),
        (RowSelection(failed=True, keys=frozenset({"cut", "good"})), set(), ["cut"]),
        (RowSelection(keys=frozenset({"none"})), set(), []),
    ],
)
def test_rows_are_picked(selection: RowSelection, accepted: set[str], keys: list[str | None]) -> None:
    found = set[str]()
    assert [row["key"] for row in selection.pick(ROWS, frozenset(accepted), found)] == keys
    assert found == selection.keys - {"none"}


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"verdict": "LATER_CODE", "response": {}}, "LATER_CODE"),
        ({"error": {"code": 3}}, "INVALID_ARGUMENT"),
        ({"verdict": None, "response": {"candidates": []}}, "NO_CANDIDATE"),
        ({"response": {"candidates": [{"content": {"parts": [{"text": "x"}]}}]}}, "OK"),
        (
            {"request": JSON_ASKED, "response": {"candidates": [{"content": {"parts": [{"text": "x"}]}}]}},
            "INVALID_JSON",
        ),
        ({"error": "no object"}, "UNKNOWN"),
    ],
)
def test_rows_of_an_earlier_release_are_judged(row: dict[str, Any], verdict: str) -> None:
    assert judged(row)["verdict"] == verdict
