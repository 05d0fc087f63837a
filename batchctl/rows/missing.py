"""Input rows without a result, as rows of the results. Holds one input row at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.ports.inputs import InputRow
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.files import LOCAL, Files
from batchctl.rows.ledger_index import LedgerIndex
from batchctl.rows.read import read_attempt, read_gaps
from batchctl.rows.segments import Wanted, read_segments

_ERRORS = {
    RowVerdict.NO_RESULT: "the results have no line for this row",
    RowVerdict.NOT_SENT: "no attempt has sent this row yet",
}


def with_missing(
    rows: Iterable[Mapping[str, Json]],
    inputs: Iterable[InputRow],
    head: Mapping[str, Json],
    is_sent: Callable[[InputRow], bool] = lambda _row: True,
) -> Iterator[Mapping[str, Json]]:
    """The rows, and between them a row with NO_RESULT or NOT_SENT for each input row without one, all in input order.

    Rows come by position, those without a position last. `head` has the members of every row, with their defaults.
    """

    def missing(position: int, row: InputRow) -> dict[str, Json]:
        code = RowVerdict.NO_RESULT if is_sent(row) else RowVerdict.NOT_SENT
        found = {"key": row.key, "index": position, "verdict": code.value}
        return {**head, **found, "input": dict(row.members) or None, "error": {"message": _ERRORS[code]}}

    stream = enumerate(inputs)
    passed = -1
    for row in rows:
        index = row.get("index")
        if not isinstance(index, int):
            yield from (missing(position, one) for position, one in stream)
        elif index > passed:
            for passed, one in stream:
                if passed >= index:
                    break
                yield missing(passed, one)
        yield row
    yield from (missing(position, one) for position, one in stream)


def sent_rows(folder: Path, uid: str, since: int, files: Files = LOCAL) -> Callable[[InputRow], bool]:
    """Whether an attempt up to that of a collected folder sent a row. `since` is the first attempt that counts."""
    attempt = read_attempt(folder)
    try:
        is_complete = RowVerdict.NOT_SENT not in read_gaps(folder).verdicts
    except ResultsError:
        is_complete = True
    if attempt is None or is_complete:
        return lambda _row: True
    segments = read_segments(folder.parent.parent, folder.parent.name, Wanted(uid, since, until=attempt), files)
    index = LedgerIndex(segments.found, frozenset())
    return lambda row: index.find(row.fingerprint) is not None
