"""The results of a job's rows over several attempts."""

from __future__ import annotations

import struct
from pathlib import Path

from batchctl.rows.ledger_file import Segment
from batchctl.rows.ledger_index import LedgerIndex

CODES = ("OK", "UNAVAILABLE")
ROW = b"r" * 16


def segment(*codes: str) -> Segment:
    """The ledger of an attempt that sent equal rows with these verdicts."""
    records = (struct.pack("<16sQIB3x", ROW, 0, 9, CODES.index(code)) for code in codes)
    return Segment(Path("results.jsonl"), CODES, b"".join(records))


def tries(*segments: Segment) -> tuple[bool, int]:
    found = LedgerIndex(segments, frozenset()).history(ROW)
    assert found is not None
    return found.is_good, found.tries


def test_equal_rows_of_one_attempt_are_tried_once() -> None:
    """A source at Cloud Storage is sent as it is, with equal rows."""
    failed = segment("UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE")
    assert tries(failed) == (False, 1)
    assert tries(failed, segment("UNAVAILABLE")) == (False, 2)
    assert tries(failed, failed, failed) == (False, 3)


def test_a_good_answer_of_an_equal_row_counts() -> None:
    assert tries(segment("UNAVAILABLE", "OK", "UNAVAILABLE")) == (True, 1)
    assert tries(segment("OK", "UNAVAILABLE")) == (True, 0)
