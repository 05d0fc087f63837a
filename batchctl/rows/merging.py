"""The results of a job over all its attempts: each row of the input with the answer that counts, in input order.

The answers are the bytes that were collected, so that the same ledgers give the same file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from msgspec import Struct

from batchctl.disk.private_files import create_file
from batchctl.disk.safe_open import open_stream
from batchctl.model.json_value import Json
from batchctl.model.result_json import encoded
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.hashed_lines import HashedLines
from batchctl.rows.ledger_file import LedgerRecord, Segment
from batchctl.rows.ledger_index import LedgerIndex
from batchctl.rows.raw_files import with_raw_file
from batchctl.rows.read_ahead import ReadAhead
from batchctl.rows.unmatched import unmatched_lines
from batchctl.rows.whole_input import WholeRow


class Merged(Struct, frozen=True):
    """The finished results file: its checksum and its rows by verdict, those without a result too."""

    sha256: str
    verdicts: Counter[str]
    unmatched: int = 0
    """Results behind these rows that match none of them."""

    @property
    def ok(self) -> int:
        """Rows with a good answer, by their verdict alone."""
        return self.verdicts[RowVerdict.OK]

    @property
    def missing(self) -> int:
        """Rows without a result, sent or not."""
        return self.verdicts[RowVerdict.NO_RESULT] + self.verdicts[RowVerdict.NOT_SENT]

    @property
    def came(self) -> int:
        """Rows with a result."""
        return self.verdicts.total() - self.missing


def merge(path: Path, rows: Iterable[WholeRow], index: LedgerIndex, attempt: int) -> Merged:
    """Write the merged results of an attempt durably. Rows of another attempt say which one. Raises OSError."""
    verdicts, keys = Counter[str](), set[str]()
    with_others = [segment for segment in index.segments if segment.unmatched]
    with create_file(path) as target, Answers() as answers:
        lines = HashedLines(target)
        for row in rows:
            if with_others and row.key is not None:
                keys.add(row.key)
            found = index.find(row.fingerprint)
            if found is None or not found[1].length:
                verdicts[(RowVerdict.NOT_SENT if found is None else RowVerdict.NO_RESULT).value] += 1
                continue
            verdicts[found[1].code] += 1
            outcome = with_raw_file(answers.read(*found), found[0].answers.parent, path.parent, row.position)
            lines.add(_line(row, found[1].code, found[0], outcome, attempt))
        unmatched = 0
        for line in (line for segment in with_others for line in unmatched_lines(segment, attempt, keys)):
            lines.add(line)
            unmatched += 1
        return Merged(lines.finish(), verdicts, unmatched)


def _line(row: WholeRow, code: str, segment: Segment, outcome: bytes, attempt: int) -> bytes:
    head: dict[str, Json] = {"key": row.key, "index": row.position, "verdict": code}
    head |= {} if segment.attempt in (None, attempt) else {"attempt": segment.attempt}
    head |= {} if segment.sent_with is None else {"sentWith": segment.sent_with.plain}
    head |= {"input": dict(row.members)} if row.members else {}
    return encoded(head)[:-1] + b"," + outcome + b"\n"


class Answers(ExitStack):
    """The files of answers of several attempts, each opened once."""

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[Path, ReadAhead] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def read(self, segment: Segment, record: LedgerRecord) -> bytes:
        """The bytes of an outcome. Raises OSError."""
        stream = self._open.get(segment.answers)
        if stream is None:
            stream = self._open[segment.answers] = ReadAhead(self.enter_context(open_stream(segment.answers)))
        return stream.read(record.offset, record.length)
