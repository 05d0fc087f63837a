"""Selects rows of collected results: all, those that are not good, or those with given verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from batchctl.model.desired import Json
from batchctl.model.verdicts import RowVerdict


@dataclass(frozen=True)
class RowSelection:
    """The rows that are wanted."""

    failed: bool = False
    """Only rows that are not good."""
    codes: frozenset[str] = frozenset()
    """Only rows with one of these verdicts; empty: any."""
    accepted: frozenset[str] = frozenset()
    """Verdicts that count as good besides OK."""

    def pick(self, rows: Iterable[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
        """The wanted rows, in their order."""
        return filter(self._is_wanted, rows)

    def _is_wanted(self, row: Mapping[str, Json]) -> bool:
        code = row.get("verdict")
        if code is None:
            # An earlier release collected it: an error is known to be no good answer, and nothing else is.
            return not self.codes and not (self.failed and "response" in row)
        is_good = code == RowVerdict.OK or code in self.accepted
        return not (self.failed and is_good) and (not self.codes or code in self.codes)
