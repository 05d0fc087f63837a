"""Selects rows of collected results: all, those that are not good, or those with given verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from batchctl.model.json_value import Json
from batchctl.model.row_marks import key_of
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.expectation import ANYTHING, asked_of, expectation_of
from batchctl.rows.verdict import verdict


class RowSelection(Struct, frozen=True):
    """The rows that are wanted."""

    failed: bool = False
    """Only rows that were sent and are not good."""
    codes: frozenset[str] = frozenset()
    """Only rows with one of these verdicts; empty: any."""
    keys: frozenset[str] = frozenset()
    """Only rows with one of these keys or `custom_id`s; empty: any. A row without a key is named as in plans."""

    @property
    def is_all(self) -> bool:
        """Whether every row with a result is wanted."""
        return not (self.failed or self.codes or self.keys)

    @property
    def wants_missing(self) -> bool:
        """Whether input rows without any result are wanted, too."""
        return self.failed or bool(self.codes & {RowVerdict.NO_RESULT, RowVerdict.NOT_SENT})

    def pick(
        self, rows: Iterable[Mapping[str, Json]], accepted: frozenset[str], keys_found: set[str]
    ) -> Iterator[Mapping[str, Json]]:
        """The wanted rows, in their order. `accepted` verdicts count as good besides OK.

        Adds to `keys_found` the wanted keys that a row has, whatever its verdict is.
        """
        for row in rows:
            names = self.keys.intersection(_names(row))
            keys_found |= names
            if (names or not self.keys) and self._has_wanted_verdict(row, accepted):
                yield row

    def _has_wanted_verdict(self, row: Mapping[str, Json], accepted: frozenset[str]) -> bool:
        code = row.get("verdict")
        # A row that was not sent has not failed.
        is_no_failure = code in (RowVerdict.OK, RowVerdict.NOT_SENT) or code in accepted
        return not (self.failed and is_no_failure) and (not self.codes or code in self.codes)


def judged(row: Mapping[str, Json]) -> Mapping[str, Json]:
    """The row with a verdict. One that an earlier release collected is judged now, by its request if it is there."""
    if isinstance(row.get("verdict"), str):
        return row
    response, error, request = row.get("response"), row.get("error"), row.get("request")
    expected = expectation_of(asked_of(request)) if isinstance(request, Mapping) else ANYTHING
    found = verdict(
        response if isinstance(response, Mapping) else None, error if isinstance(error, Mapping) else None, expected
    )
    return {**row, "verdict": found.value}


def _names(row: Mapping[str, Json]) -> Iterator[str]:
    beside, index = row.get("input"), row.get("index")
    if row.get("key") is None and isinstance(index, int) and not isinstance(index, bool):
        yield key_of(index)
    for name in (row.get("key"), beside.get("custom_id") if isinstance(beside, Mapping) else None):
        if isinstance(name, str):
            yield name
