"""Input rows without a result, as rows of the results. Holds one input row at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from batchctl.model.desired import Json
from batchctl.model.ports import InputRow
from batchctl.model.verdicts import RowVerdict


def with_missing(
    rows: Iterable[Mapping[str, Json]], inputs: Iterable[InputRow], head: Mapping[str, Json]
) -> Iterator[Mapping[str, Json]]:
    """The rows, and between them a row with NO_RESULT for each input row without one, all in input order.

    Rows come by position, those without a position last. `head` has the members of every row, with their defaults.
    """
    stream = enumerate(inputs)
    passed = -1
    for row in rows:
        index = row.get("index")
        if not isinstance(index, int):
            yield from (_missing(position, one, head) for position, one in stream)
        elif index > passed:
            for passed, one in stream:
                if passed >= index:
                    break
                yield _missing(passed, one, head)
        yield row
    yield from (_missing(position, one, head) for position, one in stream)


def _missing(position: int, row: InputRow, head: Mapping[str, Json]) -> dict[str, Json]:
    found = {"key": row.key, "index": position, "verdict": RowVerdict.NO_RESULT.value}
    return {
        **head,
        **found,
        "input": dict(row.members) or None,
        "error": {"message": "the results have no line for this row"},
    }
