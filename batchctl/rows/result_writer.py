"""Writes the results of an attempt in the order of the input: each with its verdict, and its place for the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, islice
from operator import itemgetter, lt
from pathlib import Path

from msgspec import UNSET, Struct

from batchctl.disk.private_files import create_file
from batchctl.model.json_value import Json
from batchctl.model.result_json import decoded, encoded, encoded_each
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.arrivals import NOWHERE, Fate, Settled
from batchctl.rows.expectation import UNSEEN, Expectation, Expectations
from batchctl.rows.hashed_lines import HashedLines
from batchctl.rows.join import Join
from batchctl.rows.ledger_file import LedgerWriter
from batchctl.rows.plain_answers import CountedAnswer, PlainAnswer, are_good, read_all_plain, read_plain
from batchctl.rows.spool import NO_MEMBERS, Spool
from batchctl.rows.usage import UsageTotal
from batchctl.rows.verdict import verdict
from batchctl.rows.written import as_written

_NO_INDEX = 2**62
"""Sorts after every input position."""
_HEAD = b'{"key":%b,"index":%d,"verdict":"%b",'
_GOOD_LINE = b'{"key":%b,"index":%d,"verdict":"OK",%b\n'
_without_brace = itemgetter(slice(1, None))


class Written(Struct, frozen=True):
    """The finished results file: its checksum and the sums of its rows."""

    sha256: str
    verdicts: Counter[RowVerdict]
    """The number of rows with each verdict."""
    usage: UsageTotal


class ResultWriter:
    """Writes results that have arrived.

    `ledger` takes those that have a row; without it, the rows of the join are those of the whole input.
    """

    def __init__(
        self, spool: Spool, settled: Settled, join: Join, expectations: Expectations, ledger: LedgerWriter | None = None
    ) -> None:
        self._spool = spool
        self._settled = settled
        self._join = join
        self._expectations = expectations
        self._ledger = ledger
        self._verdicts, self._usage = Counter[RowVerdict](), UsageTotal()

    def write(self, path: Path) -> Written:
        """Write all results by input position, those without one last as they came."""
        with create_file(path) as target:
            lines = HashedLines(target)
            order = _in_input_order(self._settled)
            if not isinstance(order, range):
                for number in order:
                    self._write_one(number, lines)
                return Written(lines.finish(), self._verdicts, self._usage)
            start = 0
            while start < len(order):
                end = self._spool.end_of_run(start)
                if not self._write_good(range(start, end), lines):
                    for number in range(start, end):
                        self._write_one(number, lines)
                start = end
            return Written(lines.finish(), self._verdicts, self._usage)

    def _write_one(self, number: int, lines: HashedLines) -> None:
        row = self._settled.rows[number]
        place = UNSEEN if row == NOWHERE else self._join.expectation(row)
        expected = self._expectations.at(self._spool.echoed[number] if place == UNSEEN else place)
        record = self._spool.record(number)
        plain = read_plain(record[1])
        if plain is not None and are_good([plain], expected):
            found = RowVerdict.OK
            self._usage.add_counts(plain.usageMetadata, plain.modelVersion)
            self._usage.note_statuses([plain.modelStatus])
        else:
            outcome = _outcome(record[1])
            found = _judge(outcome, expected)
            self._usage.add(outcome)
        ledger = self._ledger
        position = row if ledger is None or row == NOWHERE else ledger.position(row)
        head = _head(record, row, position, self._join, found)
        if self._settled.fates[number] == Fate.MATCHED:
            self._verdicts[found] += 1
            if ledger is not None and row != NOWHERE:
                ledger.add(row, found, lines.end + len(head), len(record[1]) - 1)
        lines.add(head + record[1][1:] + b"\n")

    def _write_good(self, numbers: range, lines: HashedLines) -> bool:
        """Write results of rows that come one after the other; False, if not all are answers of the usual form."""
        rows = range(self._settled.rows[numbers[0]], self._settled.rows[numbers[-1]] + 1)
        place = self._join.common_expectation(rows) if len(rows) == len(numbers) else UNSEEN
        if place == UNSEEN:
            return False
        keys, outcomes, members = self._spool.columns(numbers)
        answers = read_all_plain(b"\n".join(outcomes)) if set(members) == {NO_MEMBERS} else None
        if answers is None or not are_good(answers, self._expectations.at(place)):
            return False
        self._add_usage(answers)
        self._verdicts[RowVerdict.OK] += len(rows)
        shown = encoded_each(self._join.keys(rows, keys))
        positions = rows if self._ledger is None else self._ledger.positions(rows)
        found = list(map(_GOOD_LINE.__mod__, zip(shown, positions, map(_without_brace, outcomes))))  # noqa: B905 - a third of the time
        if self._ledger is not None:
            lengths = list(map(len, outcomes))
            ends = islice(accumulate(map(len, found), initial=lines.end), 1, None)
            offsets = [end - length for end, length in zip(ends, lengths, strict=True)]
            self._ledger.add_good(rows, offsets, [length - 1 for length in lengths])
        lines.add(b"".join(found))
        return True

    def _add_usage(self, answers: Sequence[PlainAnswer] | Sequence[CountedAnswer]) -> None:
        self._usage.note_statuses([one.modelStatus for one in answers if one.modelStatus is not UNSET])
        versions = [one.modelVersion for one in answers]
        counted = [one.usageMetadata for one in answers if isinstance(one, CountedAnswer)]
        if counted:
            self._usage.add_plain(counted, versions)
        else:
            self._usage.add_all([one.usageMetadata for one in answers if isinstance(one, PlainAnswer)], versions)


def _head(record: Sequence[bytes], row: int, position: int, join: Join, found: RowVerdict) -> bytes:
    """The start of a line of `results.jsonl`: its outcome follows as it was put aside, without the first brace."""
    key, _, members = record
    if members == NO_MEMBERS and row != NOWHERE and not join.members(row):
        return _HEAD % (encoded(join.key(row, decoded(key))), position, found.value.encode("ascii"))
    head: dict[str, Json] = {"key": decoded(key), "index": None, "verdict": found.value}
    came: dict[str, Json] = {} if members == NO_MEMBERS else decoded(members)
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
