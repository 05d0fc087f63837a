"""Converts a line of a result file, or a row of a result table, to a ResultItem.

Never fails: an unreadable row becomes an error row. Source: reference 8.2, chapters 9 and 16.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.row_marks import position_of_labels
from batchctl.providers.job_members import is_number, key_text
from batchctl.providers.row_outcomes import NEVER_PROCESSED, NOTHING, parsed, read_outcome, users_members
from batchctl.providers.untrusted_text import as_object

_OF_THE_API = frozenset({"processed_time", "response", "predictions", "status"})
"""Members that the API writes into each line besides the outcome; they are not the user's."""


def result_item(row: Json) -> ResultItem:
    """Convert one row, with members in any order."""
    if not isinstance(row, dict):
        return ResultItem(None, None, error={**NOTHING, "raw": row})
    request, others = _request(row)
    outcome = read_outcome(others, states=True)
    error = outcome.error
    if error is None and outcome.response is None:
        answered = any(row.get(name) is not None for name in ("status", "response", "predictions"))
        error = NEVER_PROCESSED if request is not None and not answered else NOTHING
    return ResultItem(
        key_text(row.get("key")),
        position_of_labels(as_object(as_object(request).get("labels"))),
        outcome.response,
        error,
        request,
        _members(outcome.rest),
        key_is_number=is_number(row.get("key")),
    )


def _members(rest: Mapping[str, Json]) -> dict[str, Json]:
    return users_members({name: value for name, value in rest.items() if name not in _OF_THE_API})


def _request(row: Mapping[str, Json]) -> tuple[Mapping[str, Json] | None, dict[str, Json]]:
    """The echoed request, and the other members.

    For the old text embeddings, the instance or the table column that replaces it.
    """
    for name in ("request", "instance"):
        found = parsed(row.get(name))
        if isinstance(found, dict):
            return found, {other: value for other, value in row.items() if other != name}
    if "predictions" in row and isinstance(row.get("content"), str):
        return {"content": row["content"]}, {name: value for name, value in row.items() if name != "content"}
    return None, dict(row)
