"""Results that were written as they came, although one that counts before them could still come, and did.

A result that is no answer is written in its place, because nearly always it stays the only one of its row. If its row
got another one in the end, the results from there on are taken out of the file, and written again from a copy.
"""

from __future__ import annotations

from typing import BinaryIO

from msgspec import Struct

from batchctl.model.result_json import encoded
from batchctl.rows.hashed_lines import Mark
from batchctl.rows.join import Join
from batchctl.rows.ledger_file import RECORD_BYTES, LedgerMark, place_in
from batchctl.rows.spool import NO_MEMBERS, Record
from batchctl.rows.usage import UsageTotal


class Doubt(Struct, frozen=True):
    """The state of a file before the first result that may not stay there."""

    number: int
    lines: Mark
    ledger: LedgerMark
    usage: UsageTotal


class TakenBack:
    """The results from a doubt on, until they are written again. Each is that of the row with its number."""

    def __init__(self, doubt: Doubt, end: int, lines: BinaryIO, records: BinaryIO, join: Join) -> None:
        """`end` is the number after the last one; `lines` and `records` are theirs in the results and the ledger."""
        self._doubt = doubt
        self.end = end
        self._lines, self._records = lines, records
        self._join = join

    def record(self, number: int) -> Record:
        """A result as it came, with nothing but a key.

        The key is that of its row. One that has lost it was no answer, and is dropped.
        """
        self._records.seek((number - self._doubt.number) * RECORD_BYTES)
        offset, length = place_in(self._records.read(RECORD_BYTES))
        self._lines.seek(offset - self._doubt.lines.end)
        return encoded(self._join.key(number, None)), b"{" + self._lines.read(length), NO_MEMBERS
