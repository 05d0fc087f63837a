"""How many rows of a job went well, and what they took, once it is known which result counts."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from batchctl.model.ports import ResultItem
from batchctl.rows.arrivals import NOWHERE, Fate, Settled
from batchctl.rows.usage import input_tokens

_UNKNOWN = -1


class RowCount:
    """Counts results. Takes a few bytes for each."""

    def __init__(self) -> None:
        self._good = bytearray()
        self._tokens = array("q")

    def add(self, item: ResultItem) -> None:
        """Take in the next result."""
        tokens = None if item.response is None else input_tokens(item.response)
        self._good.append(item.response is not None)
        self._tokens.append(_UNKNOWN if tokens is None else tokens)

    def total(self, settled: Settled) -> tuple[int, int, int, int | None]:
        """Rows with an answer, rows with an error, results without a row, and the tokens of all answers.

        None for the tokens where one answer does not tell them.
        """
        fates = settled.fates
        ok = sum(1 for good, fate in zip(self._good, fates, strict=True) if good and fate == Fate.MATCHED)
        tokens = [
            self._tokens[number] for number, good in enumerate(self._good) if good and fates[number] != Fate.DROPPED
        ]
        total = sum(tokens) if tokens and min(tokens) != _UNKNOWN else None
        return ok, fates.count(Fate.MATCHED) - ok, fates.count(Fate.UNMATCHED), total

    def nowhere(self, settled: Settled) -> Iterator[int]:
        """Results that count, although the position of their row is not known."""
        return (
            number
            for number, fate in enumerate(settled.fates)
            if fate == Fate.MATCHED and settled.rows[number] == NOWHERE
        )
