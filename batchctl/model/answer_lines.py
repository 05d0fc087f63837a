"""Answers that came with a key each and with nothing else: nearly all lines of a result file are so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded


class AnswerLines:
    """Some results that came one after the other, in that order."""

    def __init__(self, keys: Sequence[str], responses: Sequence[bytes]) -> None:
        """`responses` are not empty, and as `encoded` writes them."""
        self.keys = keys
        self.responses = responses

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[ResultItem]:
        """The results one by one."""
        for key, response in zip(self.keys, self.responses, strict=True):
            yield ResultItem(key, None, decoded(response))
