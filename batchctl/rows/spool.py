"""Result lines on their way to the file: taken as they arrive, given back in input order.

Owns the memory bound: what came waits on disk, and only a number for each stays in memory.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
from operator import lt
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from batchctl.disk.private_files import create_file
from batchctl.model.desired import Json
from batchctl.model.ports import ResultItem
from batchctl.model.result_json import decoded, encoded
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.arrivals import NOWHERE, Fate, Settled
from batchctl.rows.expectation import UNSEEN, Expectation, Expectations
from batchctl.rows.fingerprint import fingerprint
from batchctl.rows.hashed_lines import HashedLines
from batchctl.rows.join import Join
from batchctl.rows.large_writes import LargeWrites
from batchctl.rows.ledger_file import LedgerWriter
from batchctl.rows.plain_answers import read_plain
from batchctl.rows.read_ahead import ReadAhead
from batchctl.rows.usage import UsageTotal
from batchctl.rows.verdict import verdict
from batchctl.rows.written import as_written

_NAMELESS = 0
_NO_MEMBERS = b"{}"
_NO_INDEX = 2**62
"""Sorts after every input position."""


class Written(Struct, frozen=True):
    """The finished results file: its checksum and the sums of its rows."""

    sha256: str
    verdicts: Counter[RowVerdict]
    """The number of rows with each verdict."""
    usage: UsageTotal


class Spool:
    """Results in arrival order. `stream` is an empty file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._records = ReadAhead(stream)
        self._writes = LargeWrites(stream.write)
        self._offsets = array("q", [0])
        self._echoed = array("q")
        """By result: the place of the expectation of its echoed request."""

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def add(self, item: ResultItem, echoed: int) -> None:
        """Add the next result. `echoed` is the place of the expectation of its echoed request."""
        self._echoed.append(echoed)
        outcome = {"error": dict(item.error or {})} if item.response is None else {"response": dict(item.response)}
        members = encoded(dict(item.members)) if item.members else _NO_MEMBERS
        record = b"\n".join((encoded(item.key), encoded(outcome), members))
        self._writes.add(record)
        self._offsets.append(self._offsets[-1] + len(record))

    def write_sorted(
        self, path: Path, settled: Settled, join: Join, expectations: Expectations, ledger: LedgerWriter | None = None
    ) -> Written:
        """Write all results by input position, those without one last as they came.

        `ledger` takes the results that have a row; without it, the rows of the join are those of the whole input.
        """
        verdicts, usage = Counter[RowVerdict](), UsageTotal()
        with create_file(path) as target:
            lines = HashedLines(target)
            for number in _in_input_order(settled):
                row = settled.rows[number]
                place = UNSEEN if row == NOWHERE else join.expectation(row)
                expected = expectations.at(self._echoed[number] if place == UNSEEN else place)
                record = self._record(number)
                plain = read_plain(record[1])
                if plain is not None and plain.is_good(expected):
                    found = RowVerdict.OK
                    usage.add_counts(plain.usageMetadata, plain.modelVersion)
                else:
                    outcome = _outcome(record[1])
                    found = _judge(outcome, expected)
                    usage.add(outcome)
                position = row if ledger is None or row == NOWHERE else ledger.position(row)
                head = _head(record, row, position, join, found)
                if settled.fates[number] == Fate.MATCHED:
                    verdicts[found] += 1
                    if ledger is not None and row != NOWHERE:
                        ledger.add(row, found, lines.end + len(head), len(record[1]) - 1)
                lines.add(head + record[1][1:] + b"\n")
            return Written(lines.finish(), verdicts, usage)

    def count_anonymous(self, numbers: Iterable[int]) -> int:
        """The number of these results that have no name, or the same names as another result."""
        marks = array("Q", sorted(array("Q", map(self._mark, numbers))))
        sizes = ((mark, sum(1 for _ in alike)) for mark, alike in groupby(marks))
        return sum(size for mark, size in sizes if mark == _NAMELESS or size > 1)

    def _mark(self, number: int) -> int:
        """A fingerprint of what a result says of its row."""
        key, _, members = self._record(number)
        given = {name: value for name, value in decoded(members).items() if value is not None}
        return fingerprint([decoded(key), given]) if given or key != b"null" else _NAMELESS

    def _record(self, number: int) -> list[bytes]:
        """A result as it was put aside: key, outcome and members, each as JSON."""
        self._writes.flush()
        start = self._offsets[number]
        return self._records.read(start, self._offsets[number + 1] - start).split(b"\n")


def _head(record: list[bytes], row: int, position: int, join: Join, found: RowVerdict) -> bytes:
    """The start of a line of `results.jsonl`: its outcome follows as it was put aside, without the first brace."""
    key, _, members = record
    if members == _NO_MEMBERS and row != NOWHERE and not join.members(row):
        return b'{"key":%b,"index":%d,"verdict":"%b",' % (
            encoded(join.key(row, decoded(key))),
            position,
            found.value.encode("ascii"),
        )
    head: dict[str, Json] = {"key": decoded(key), "index": None, "verdict": found.value}
    came: dict[str, Json] = {} if members == _NO_MEMBERS else decoded(members)
    if row != NOWHERE:
        head["key"], head["index"] = join.key(row, head["key"]), position
        own = join.members(row)
        came = as_written(came, own) if came or own else came
    # What a row is comes before its answer, which may be long.
    head |= {"input": came} if came else {}
    return encoded(head)[:-1] + b","


def _outcome(record: bytes) -> dict[str, Json] | None:
    """The answer or error of a result as it was put aside; None if it is nested too deeply to be read again."""
    try:
        found: dict[str, Json] = decoded(record)
    except RecursionError:
        return None
    return found


def _judge(outcome: Mapping[str, Json] | None, expected: Expectation) -> RowVerdict:
    """The verdict on a result."""
    if outcome is None:
        return RowVerdict.DATA_LOSS
    return verdict(outcome.get("response"), outcome.get("error"), expected)


def _in_input_order(settled: Settled) -> Sequence[int]:
    """The results that are kept, in the order of the input, those without a position last."""
    rows, fates = settled.rows, settled.fates
    if Fate.DROPPED not in fates and NOWHERE not in rows and all(map(lt, rows, islice(rows, 1, None))):
        return range(len(rows))
    kept = (number for number, fate in enumerate(fates) if fate != Fate.DROPPED)
    # Sorting is stable, so results of one position keep the order of their arrival.
    return sorted(kept, key=lambda number: _NO_INDEX if rows[number] == NOWHERE else rows[number])
