"""The tokens of the results that count, and the results without a position."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from batchctl.model.ports import ResultItem
from batchctl.rows.arrivals import NOWHERE, Fate, Settled
from batchctl.rows.usage import input_tokens

_UNKNOWN = -1
_NO_ANSWER = -2


class ResultCount:
    """Counts tokens. A result takes eight bytes."""

    def __init__(self) -> None:
        self._tokens = array("q")

    def add(self, item: ResultItem) -> None:
        """Add the next result."""
        if item.response is None:
            self._tokens.append(_NO_ANSWER)
        else:
            tokens = input_tokens(item.response)
            self._tokens.append(_UNKNOWN if tokens is None else tokens)

    def tokens(self, settled: Settled) -> int | None:
        """The input tokens of all answers; None unless the API counted them for each answer."""
        pairs = zip(self._tokens, settled.fates, strict=True)
        found = [tokens for tokens, fate in pairs if tokens != _NO_ANSWER and fate != Fate.DROPPED]
        return sum(found) if found and min(found) != _UNKNOWN else None


def without_position(settled: Settled) -> Iterator[int]:
    """Results that count although their position is not known."""
    return (
        number for number, fate in enumerate(settled.fates) if fate == Fate.MATCHED and settled.rows[number] == NOWHERE
    )
