"""A row of the results as the columns of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.result_columns import Cell
from batchctl.rows.answer import answer_text, answer_vector, block_reason, finish_reason
from batchctl.rows.usage import model_version, usage_of

_MOST_INDEX = 2**62


def cells_of(row: Mapping[str, Json]) -> dict[str, Cell]:
    """The cells of one row, by column name. A value of another type than its column's is null: nothing is converted."""
    cells: dict[str, Cell] = {
        **{name: _text(row.get(name)) for name in ("job", "key", "verdict")},
        **{name: _integer(row.get(name)) for name in ("index", "attempt")},
        **{name: _json(row.get(name)) for name in ("input", "request")},
    }
    response, error = row.get("response"), row.get("error")
    if isinstance(response, Mapping):
        cells |= usage_of(response)
        cells |= {"text": answer_text(response), "embedding": answer_vector(response)}
        cells |= {"finishReason": finish_reason(response), "modelVersion": model_version(response)}
        cells["blockReason"] = block_reason(response) or None
    if isinstance(error, Mapping):
        cells |= {"errorCode": _text_or_json(error.get("code")), "errorMessage": _text_or_json(error.get("message"))}
    return cells


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _text_or_json(value: Json) -> str | None:
    return value if isinstance(value, str) else _json(value)


def _integer(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < _MOST_INDEX else None


def _json(value: Json) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
