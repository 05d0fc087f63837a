"""The ledger of one attempt: for each row that it sent, the fingerprint, the verdict, and where the answer is.

It is a file beside the answers, in the folder of the attempt. Ledgers of all attempts of a job tell which rows have a
good answer already. A row takes 32 bytes, and none of its text is in there.
"""

from __future__ import annotations

import json
import shutil
import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from batchctl.disk.private_files import create_file
from batchctl.model.json_value import Json
from batchctl.model.sent_with import SentWith
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.durable import flush_durably
from batchctl.rows.hashed_lines import HashedLines, Mark
from batchctl.rows.packed_file import packed_head, read_packed
from batchctl.rows.sent_list import SentList, in_byte_order

LEDGER_FILE = "rows.ledger"
ANSWERS_FILE = "rows.jsonl"
"""The answers of an attempt that sent a part of the rows; otherwise they are in the results file."""
FORMAT = "batchctl/ledger/v1"
_RECORD = struct.Struct("<16sQIB3x")
RECORD_BYTES = _RECORD.size
_CODE_AT = 28
"""The place of the code in a record."""
_CODES = tuple(one.value for one in RowVerdict)
_NUMBERS = {one: number for number, one in enumerate(RowVerdict)}


class LedgerMark(Struct, frozen=True):
    """A place between the records of a ledger, and the verdicts of the rows before it."""

    body: Mark
    verdicts: Counter[RowVerdict]


class LedgerWriter:
    """Takes the results of an attempt as they are written."""

    def __init__(self, sent: SentList, aside: BinaryIO) -> None:
        """`aside` is an empty file: the ledger begins with the hash of what follows."""
        self._sent = sent
        self._aside = aside
        self._body = HashedLines(aside)
        self._has_result = bytearray(len(sent))
        self._verdicts = Counter[RowVerdict]()
        self._is_missing_tried = True
        self.rows = len(sent)
        """The number of sent rows: less than the list has if it had to be made of the whole input."""

    def position(self, number: int) -> int:
        """The position in the input of a row, by its number among the sent ones."""
        return self._sent.places[number]

    def positions(self, numbers: range) -> Sequence[int]:
        """The positions of rows that come one after the other."""
        return self._sent.places[numbers.start : numbers.stop]

    def add(self, number: int, found: RowVerdict, offset: int, length: int) -> None:
        """Add the result of a row: its outcome has these bytes in the file of answers."""
        self._has_result[number] = True
        self._verdicts[found] += 1
        self._put(number, found, offset, length)

    def add_good(self, numbers: range, offsets: Iterable[int], lengths: Iterable[int]) -> None:
        """Add the good answers of rows, which come one after the other."""
        first, count = numbers.start, len(numbers)
        self._has_result[first : first + count] = b"\1" * count
        self._verdicts[RowVerdict.OK] += count
        # A record has four numbers of 8 bytes. The last one is the length with the code of OK, which is 0.
        records, prints = array("Q", bytes(RECORD_BYTES * count)), array("Q", self._sent.fingerprints(first, count))
        records[0::4], records[1::4] = prints[0::2], prints[1::2]
        records[2::4], records[3::4] = in_byte_order(array("Q", offsets)), in_byte_order(array("Q", lengths))
        self._body.add(records.tobytes())

    def place(self, number: int) -> tuple[int, int]:
        """The offset and the length of an outcome, by the number in which it was added."""
        return place_in(self._body.read(number * RECORD_BYTES, RECORD_BYTES))

    def mark(self) -> LedgerMark:
        """The place after the last result."""
        return LedgerMark(self._body.mark(), self._verdicts.copy())

    def take_back(self, mark: LedgerMark, into: BinaryIO) -> None:
        """Move the records of the results after a mark into another file. Their rows will have results again."""
        self._body.take_back(mark.body, into)
        self._verdicts = mark.verdicts.copy()

    def add_missing(self, *, is_tried: bool) -> None:
        """Add all rows that have no result. `is_tried`: the API had its chance with them."""
        self._is_missing_tried = is_tried
        number = self._has_result.find(0)
        while number >= 0:
            self._put(number, RowVerdict.NO_RESULT, 0, 0)
            number = self._has_result.find(0, number + 1)

    def verdicts(self) -> Counter[str]:
        """All rows by the code of their verdict, those without a result too."""
        found = Counter({code.value: number for code, number in self._verdicts.items()})
        return found + Counter({RowVerdict.NO_RESULT.value: self.rows - self._has_result.count(1)})

    def _put(self, number: int, found: RowVerdict, offset: int, length: int) -> None:
        self._body.add(_RECORD.pack(self._sent.fingerprint(number), offset, length, _NUMBERS[found]))

    def write(self, folder: Path, answers: str) -> dict[str, Json]:
        """Write the ledger durably into a new folder; returns its facts for the manifest."""
        head = {"format": FORMAT, "codes": list(_CODES), "answers": answers}
        sha256 = self._body.hexdigest()
        self._aside.seek(0)
        with create_file(folder / LEDGER_FILE) as target:
            target.write(packed_head(head, sha256))
            shutil.copyfileobj(self._aside, target)
            flush_durably(target)
        rows = self._body.end // RECORD_BYTES
        facts: dict[str, Json] = {
            "file": LEDGER_FILE,
            "answers": answers,
            "rows": rows,
            "sent": self.rows,
            "sha256": sha256,
        }
        facts |= {"renews": True} if self._sent.renews else {}
        facts |= {} if self._is_missing_tried else {"missingTried": False}
        return facts if self._sent.sent_with is None else {**facts, "sentWith": self._sent.sent_with.plain}


def place_in(record: bytes) -> tuple[int, int]:
    """The offset and the length of an outcome, by the record of its row."""
    _, offset, length, _ = _RECORD.unpack(record)
    return offset, length


class LedgerRecord(Struct, frozen=True):
    """One row of a ledger."""

    fingerprint: bytes
    code: str
    offset: int
    length: int
    """Of its outcome in the file of answers: members of a JSON object with the closing brace. 0: it has none."""


class Segment(Struct, frozen=True):
    """The ledger of one attempt, read and checked."""

    answers: Path
    codes: tuple[str, ...]
    body: bytes
    renews: bool = False
    """Whether its good answers replace earlier ones: a person ordered its rows."""
    sent_with: SentWith | None = None
    """The change with which they were sent; None: none."""
    is_missing_tried: bool = True
    """Whether a row without a result counts as tried: not if the whole job failed or was stopped."""
    attempt: int | None = None
    """The attempt of the job; None for that of another job whose results are used."""
    unmatched: int = 0
    """Results in the file of answers that match no row."""

    def __len__(self) -> int:
        return len(self.body) // RECORD_BYTES

    def records(self) -> Iterator[tuple[bytes, int, int, int]]:
        """All rows: fingerprint, offset, length, and the number of the code."""
        return _RECORD.iter_unpack(self.body)

    def code(self, number: int) -> str:
        """The verdict code of one row, by its number."""
        return self.codes[self.body[number * RECORD_BYTES + _CODE_AT]]

    def record(self, number: int) -> LedgerRecord:
        """One row, by its number."""
        fingerprint, offset, length, code = _RECORD.unpack_from(self.body, number * RECORD_BYTES)
        return LedgerRecord(fingerprint, self.codes[code], offset, length)


def read_segment(folder: Path, manifest: Mapping[str, Json]) -> Segment | None:
    """The ledger of a collected folder; None if its rows have none, as in folders of earlier releases.

    Raises ValueError, KeyError, TypeError and OSError when it is damaged.
    """
    facts = manifest.get("ledger")
    if facts is None:
        return None
    head, body = read_packed(folder / LEDGER_FILE, FORMAT)
    codes = head["codes"]
    if head["sha256"] != facts["sha256"] or len(body) % RECORD_BYTES or not isinstance(codes, list):
        raise ValueError(f"{LEDGER_FILE} is not the one that the manifest describes")
    if facts["answers"] not in (ANSWERS_FILE, "results.jsonl"):
        raise ValueError(f"its manifest names {json.dumps(facts['answers'])} as its answers")
    if max(body[_CODE_AT::RECORD_BYTES], default=0) >= len(codes):
        raise ValueError(f"{LEDGER_FILE} has a verdict that cannot be")
    sent_with = SentWith.read(facts["sentWith"]) if "sentWith" in facts else None
    renews, is_missing_tried = facts.get("renews") is True, facts.get("missingTried") is not False
    rows = manifest.get("rows", {})
    unmatched = rows.get("unmatched", 0) + rows.get("anonymous", 0)
    marks = renews, sent_with, is_missing_tried, manifest.get("attempt"), unmatched
    return Segment(folder / facts["answers"], tuple(codes), body, *marks)
