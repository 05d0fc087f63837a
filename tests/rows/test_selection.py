"""Which rows of results are printed."""

from __future__ import annotations

import pytest

from batchctl.rows.selection import RowSelection

ROWS = [
    {"key": "good", "verdict": "OK", "response": {}},
    {"key": "cut", "verdict": "MAX_TOKENS", "response": {}},
    {"key": "blocked", "verdict": "SAFETY", "response": {}},
    {"key": "old", "response": {}},
    {"key": "old error", "error": {}},
]


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        (RowSelection(), ["good", "cut", "blocked", "old", "old error"]),
        (RowSelection(failed=True), ["cut", "blocked", "old error"]),
        (RowSelection(failed=True, accepted=frozenset({"MAX_TOKENS"})), ["blocked", "old error"]),
        (RowSelection(codes=frozenset({"MAX_TOKENS", "OK"})), ["good", "cut"]),
        (RowSelection(failed=True, codes=frozenset({"MAX_TOKENS", "OK"})), ["cut"]),
    ],
)
def test_rows_are_picked_by_their_verdict(selection: RowSelection, keys: list[str]) -> None:
    assert [row["key"] for row in selection.pick(ROWS)] == keys
