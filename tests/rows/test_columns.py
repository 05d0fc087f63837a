"""A row as the cells of a table, whatever form its answer has."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.model.result_columns import COLUMNS, ColumnType
from batchctl.rows.columns import cells_of
from batchctl.rows.usage import UsageTotal, usage_of

TYPES = {ColumnType.TEXT: str, ColumnType.JSON: str, ColumnType.INTEGER: int, ColumnType.VECTOR: tuple}


def parts(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"content": {"parts": list(parts)}, **more}


@pytest.mark.parametrize(
    ("response", "cells"),
    [
        ({"candidates": [parts({"text": "a"}, {"text": "b"}, finishReason="STOP")]}, {"text": "ab", "finishReason": "STOP"}),
        ({"candidates": [parts({"text": "hm", "thought": True}, {"text": "b"})]}, {"text": "b"}),
        ({"candidates": [parts(finishReason="SAFETY"), parts({"text": "b"}, finish_reason=1)]}, {"text": "b", "finishReason": "1"}),
        ({"candidates": [parts(finishReason="SAFETY")]}, {"text": None, "finishReason": "SAFETY"}),
        ({"candidates": "no", "modelVersion": 3}, {"text": None, "finishReason": None, "modelVersion": None}),
        ({"candidates": [{"content": {"parts": [3, {"text": 4}]}}]}, {"text": None}),
        ({"embedding": {"values": [0.5, 1]}, "tokenCount": "4"}, {"embedding": (0.5, 1.0), "promptTokens": 4}),
        ({"embedding": {"values": [10**400]}}, {"embedding": None}),
        ({"embedding": {"values": ["x"]}}, {"embedding": None}),
        ({"predictions": [{"embeddings": {"values": [1]}}]}, {"embedding": (1.0,)}),
        (
            {"type": "message", "model": "claude-x", "content": [{"type": "text", "text": "hi"}], "usage": {"input_tokens": 3, "output_tokens": 1}},
            {"text": "hi", "modelVersion": "claude-x", "promptTokens": 3, "outputTokens": 1},
        ),
        (
            {"body": {"choices": [{"message": {"content": "hi"}}], "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 4}}},
            {"text": "hi", "modelVersion": "m", "promptTokens": 3, "totalTokens": 4},
        ),
        ({"usageMetadata": {"promptTokenCount": True, "totalTokenCount": -1, "thoughtsTokenCount": 2.5}}, {"promptTokens": None, "totalTokens": None}),
    ],
)  # fmt: skip
def test_cells_of_an_answer(response: dict[str, Any], cells: dict[str, Any]) -> None:
    found = cells_of({"key": "k", "index": 0, "response": response})
    assert {name: found.get(name) for name in cells} == cells
    assert_typed(found)


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ({"error": {"code": 3, "message": "no"}}, {"errorCode": "3", "errorMessage": "no"}),
        ({"error": {"code": {"a": 1}, "message": ["x"]}}, {"errorCode": '{"a":1}', "errorMessage": '["x"]'}),
        ({"error": "no", "key": 5, "index": True, "attempt": 2**70}, {"key": None, "index": None, "attempt": None}),
        ({"input": {"a": "ü"}, "request": {}}, {"input": '{"a":"ü"}', "request": "{}"}),
    ],
)
def test_cells_of_other_rows(row: dict[str, Any], cells: dict[str, Any]) -> None:
    found = cells_of(row)
    assert {name: found.get(name) for name in cells} == cells
    assert_typed(found)


def assert_typed(found: dict[str, Any]) -> None:
    types = {column.name: TYPES[column.type] for column in COLUMNS}
    assert found.keys() <= types.keys()
    assert [name for name, cell in found.items() if cell is not None and not isinstance(cell, types[name])] == []


def test_content_that_is_nested_deeply_has_no_text() -> None:
    content: Any = "x"
    for _ in range(500):
        content = [content]
    assert cells_of({"response": {"type": "message", "content": content}})["text"] is None


def test_usage_is_summed() -> None:
    total = UsageTotal()
    for response in (
        {"usageMetadata": {"promptTokenCount": 1, "cachedContentTokenCount": 1}, "modelVersion": "b"},
        {"usage_metadata": {"prompt_token_count": "2", "candidates_token_count": 4}, "model_version": "a"},
        {"modelVersion": "b" * 300},
        {},
    ):
        total.add({"response": response})
    assert total.facts() == {
        "modelVersions": {"a": 1, "b": 1, "b" * 256: 1},
        "usage": {"rows": 2, "promptTokens": 3, "cachedTokens": 1, "outputTokens": 4},
        "counted": {
            "usage": {"short": {"input": {"TEXT": 2}, "cached": {"TEXT": 1}, "output": {"TEXT": 4}}, "long": {}},
            "rows": 2,
            "uncounted": 2,
        },
    }
    assert usage_of({"usageMetadata": []}) == {}
