"""All results of a job's rows, by fingerprint: which answer counts, and how often a row was tried.

The first good answer counts, so that no later attempt replaces it: only one of rows that a person ordered does. Without
a good answer, the latest result counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from batchctl.model.row_work import RowHistory
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.ledger_file import LedgerRecord, Segment

_MOST_TRIES = 255
_GOOD = 1
_TRIES_AT, _RECORD_AT, _SEGMENT_AT = 1, 9, 49
_TRIES = _MOST_TRIES << _TRIES_AT
_RECORDS = (1 << (_SEGMENT_AT - _RECORD_AT)) - 1


class LedgerIndex:
    """The rows of several attempts. A row takes one number and its fingerprint."""

    def __init__(self, segments: Iterable[Segment], accept: frozenset[str]) -> None:
        """`segments` in the order of their attempts; `accept` are codes that count as good besides `OK`."""
        self._segments: list[Segment] = []
        self._entries: dict[bytes, int] = {}
        self._histories: dict[tuple[int, str, int], RowHistory] = {}
        """By segment, code, tries and whether it is good: few histories differ."""
        self._good = {RowVerdict.OK.value, *accept}
        for segment in segments:
            self.add(segment)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def segments(self) -> Sequence[Segment]:
        """In the order of their attempts."""
        return self._segments

    def add(self, segment: Segment) -> None:
        """Add the results of a later attempt."""
        number = len(self._segments)
        self._segments.append(segment)
        entries, good = self._entries, [code in self._good for code in segment.codes]
        missing_tried = int(segment.is_missing_tried)
        for record, (fingerprint, _, length, code) in enumerate(segment.records()):
            place = (number << _SEGMENT_AT) | (record << _RECORD_AT)
            before = entries.get(fingerprint)
            tried = 1 if length else missing_tried
            if before is None:
                entries[fingerprint] = place | (_GOOD if good[code] else tried << _TRIES_AT)
            elif segment.renews and before & _GOOD and good[code]:
                entries[fingerprint] = place | (before & _TRIES) | _GOOD
            elif not before & _GOOD:
                tries = (before >> _TRIES_AT) & _MOST_TRIES
                # Equal rows of one attempt were tried once.
                tried = tried if before >> _SEGMENT_AT != number else 0
                if good[code]:
                    entries[fingerprint] = place | (tries << _TRIES_AT) | _GOOD
                    continue
                # A row without a result keeps the result that it has.
                kept = place if length else before >> _RECORD_AT << _RECORD_AT
                entries[fingerprint] = kept | (min(tries + tried, _MOST_TRIES) << _TRIES_AT)

    def history(self, fingerprint: bytes) -> RowHistory | None:
        """The results of a request so far; None if it has none."""
        entry = self._entries.get(fingerprint)
        if entry is None:
            return None
        segment, facts = self._segments[entry >> _SEGMENT_AT], entry & (_TRIES | _GOOD)
        alike = entry >> _SEGMENT_AT, segment.code((entry >> _RECORD_AT) & _RECORDS), facts
        found = self._histories.get(alike)
        if found is None:
            found = RowHistory(alike[1], bool(entry & _GOOD), facts >> _TRIES_AT, segment.sent_with)
            self._histories[alike] = found
        return found

    def find(self, fingerprint: bytes) -> tuple[Segment, LedgerRecord] | None:
        """The result that counts for a request; None if it has none."""
        entry = self._entries.get(fingerprint)
        return None if entry is None else (self._segments[entry >> _SEGMENT_AT], self._record(entry))

    def _record(self, entry: int) -> LedgerRecord:
        return self._segments[entry >> _SEGMENT_AT].record((entry >> _RECORD_AT) & _RECORDS)
