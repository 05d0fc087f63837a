"""Finds a few rows of each verdict in results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from batchctl.model.json_value import Json
from batchctl.model.row_examples import EXAMPLES, RowExample
from batchctl.rows.answer import message_of

_LONGEST = 256
"""Characters of a message, as of the messages that the state keeps."""


def find_examples(rows: Iterable[Mapping[str, Json]], wanted: Mapping[str, int]) -> dict[str, tuple[RowExample, ...]]:
    """The first rows of each wanted verdict, with the number of rows that have it. Reads no further than needed."""
    left = {code: min(number, EXAMPLES) for code, number in wanted.items() if number}
    found: dict[str, list[RowExample]] = {code: [] for code in left}
    for row in rows if left else ():
        code = row.get("verdict")
        if not isinstance(code, str) or code not in left:
            continue
        key, index = row.get("key"), row.get("index")
        found[code].append(
            RowExample(
                key if isinstance(key, str) else None,
                index if isinstance(index, int) else None,
                message_of(row)[:_LONGEST],
            )
        )
        left[code] -= 1
        if not left[code]:
            del left[code]
        if not left:
            break
    return {code: tuple(examples) for code, examples in found.items()}
