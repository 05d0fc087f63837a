"""Writes the results of an attempt in the order of the input: each with its verdict, and its place for the ledger."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from io import BytesIO
from itertools import accumulate, islice
from operator import add, itemgetter, lt
from typing import BinaryIO

from msgspec import UNSET, Struct

from batchctl.model.answer_lines import AnswerLines, FormedAnswers
from batchctl.model.forms.templates import Column, Template
from batchctl.model.json_value import Json
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded, encoded_each
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.answer_columns import AnswerColumns
from batchctl.rows.arrivals import NOWHERE, Fate, ReadAgain, Settled, is_hollow
from batchctl.rows.expectation import UNSEEN, Expectation, Expectations
from batchctl.rows.hashed_lines import HashedLines
from batchctl.rows.join import Join
from batchctl.rows.ledger_file import LedgerWriter
from batchctl.rows.plain_answers import CountedAnswer, PlainAnswer, are_good, read_all_plain, read_plain
from batchctl.rows.row_lines import ANSWER_LINE, AROUND_KEY, OUTCOME_LINE, head_of, line_of
from batchctl.rows.spool import NO_MEMBERS, Record, Spool, record_of
from batchctl.rows.taken_back import Doubt, TakenBack
from batchctl.rows.usage import UsageTotal
from batchctl.rows.verdict import verdict

_FEW = 8
"""Answers that are written one by one if the verdict on one may not be `OK`."""
_NO_INDEX = 2**62
"""Sorts after every input position."""
_without_brace = itemgetter(slice(1, None))


class Written(Struct, frozen=True):
    """The finished results file: its checksum and the sums of its rows."""

    sha256: str
    verdicts: Counter[RowVerdict]
    """The number of rows with each verdict."""
    usage: UsageTotal


class ResultWriter:
    """Writes results as they come, as long as they come in the order of the input.

    All other results wait in the spool. `ledger` takes those that have a row; without it, the rows of the join are
    those of the whole input, and no result is written before all have come.
    """

    def __init__(
        self,
        target: BinaryIO,
        spool: Spool,
        join: Join,
        expectations: Expectations,
        ledger: LedgerWriter | None,
        aside: Callable[[], BinaryIO],
    ) -> None:
        """`target` is an empty file; `aside` makes one for what has to wait."""
        self._lines = HashedLines(target)
        self._spool = spool
        self._join = join
        self._expectations = expectations
        self._ledger = ledger
        self._columns = AnswerColumns()
        self._verdicts, self._usage = Counter[RowVerdict](), UsageTotal()
        self._ahead = 0
        """The results that were written as they came. Each is that of the row with its number."""
        self._aside = aside
        self._doubt: Doubt | None = None
        """Before the first of them that another result may count before."""
        self._taken_back: TakenBack | None = None

    def add(self, answers: AnswerLines, rows: range) -> None:
        """Add the next results, whose keys name these rows.

        The first rows have the first results, and these are answers: no other result can count before them. So they
        are the start of the file, whatever comes after them.
        """
        if self._ledger is None or not rows.start == self._ahead == len(self._spool):
            self._spool.add_answers(answers)
            return
        self._put(answers, rows)
        self._ahead = rows.stop
        self._spool.skip(len(rows))

    def _put(self, answers: AnswerLines, rows: range, few: int | None = None) -> None:
        """Write answers of rows that come one after the other: good ones together, and `few` with one that is not."""
        place, given = self._join.common_expectation(rows), encoded_each(answers.keys)
        if place != UNSEEN and self._count_good(answers, self._expectations.at(place)):
            keys = self._join.keys(rows, given)
            if isinstance(answers, FormedAnswers):
                self._put_good(rows, keys, answers.columns, line_of(answers.form.template))
            else:
                self._put_good(rows, keys, [answers.responses], ANSWER_LINE)
            return
        few = self._few(answers, place) if few is None else few
        if len(rows) > few:
            half = len(rows) // 2
            self._put(answers.part(0, half), rows[:half], few)
            self._put(answers.part(half, len(rows)), rows[half:], few)
        else:
            for row, key, response in zip(rows, given, answers.responses, strict=True):
                record = key, b'{"response":%b}' % response, NO_MEMBERS
                self._write_record(record, row, self._expected(row, UNSEEN), Fate.MATCHED)

    def _few(self, answers: AnswerLines, place: int) -> int:
        """How many answers are written one by one because of one that is not good: all, if a sample has another one."""
        if place == UNSEEN:
            return len(answers)
        expected = self._expectations.at(place)
        sample = (read_plain(b'{"response":%b}' % one) for one in answers.responses[:: 1 + len(answers) // _FEW])
        return _FEW if all(one is not None and are_good([one], expected) for one in sample) else len(answers)

    def add_one(self, item: ResultItem, echoed: int, row: int | None) -> None:
        """Add the next result. `row` is that of `Join.add`, `echoed` the place of the expectation of its request."""
        record = record_of(item)
        if row is None or item.early or self._ledger is None or not row == self._ahead == len(self._spool):
            self._spool.add(record, echoed)
            return
        if self._doubt is None and (item.response is None or is_hollow(item)):
            # A later answer of this row would count before it.
            self._doubt = Doubt(row, self._lines.mark(), self._ledger.mark(), deepcopy(self._usage))
        self._write_record(record, row, self._expected(row, echoed), Fate.MATCHED)
        self._ahead += 1
        self._spool.skip(1)

    def _count_good(self, answers: AnswerLines, expected: Expectation) -> bool:
        """Count the tokens of answers; False, if the verdict on one may not be `OK`."""
        found = self._columns.read(answers, expected) if isinstance(answers, FormedAnswers) else None
        if found is not None:
            sums, version = found
            self._usage.add_sums(sums, {version: len(answers)})
            return True
        plain = read_all_plain(b"".join(map(b'{"response":%b}\n'.__mod__, answers.responses)))
        if plain is None or not are_good(plain, expected):
            return False
        self._add_usage(plain)
        return True

    def read_answer(self, number: int) -> ReadAgain:
        """The key and the response of a result."""
        if number >= self._ahead or self._ledger is None:
            return self._spool.read_answer(number)
        response = decoded(b"{" + self._lines.read(*self._ledger.place(number))).get("response")
        return self._join.key(number, None), response

    def write(self, settled: Settled) -> Written:
        """Write all other results by input position, those without one last as they came."""
        self._take_back(settled)
        order = _in_input_order(settled)[self._ahead :]
        if not isinstance(order, range):
            for number in order:
                self._write_one(number, settled)
            return self._written()
        start = order.start
        while start < order.stop:
            end = self._spool.end_of_run(start)
            if not self._write_good(range(start, end), settled):
                for number in range(start, end):
                    self._write_one(number, settled)
            start = end
        return self._written()

    def _written(self) -> Written:
        return Written(self._lines.finish(), self._verdicts, self._usage)

    def _take_back(self, settled: Settled) -> None:
        """Take the results from the doubt on out of the file, if one of them has lost its row."""
        doubt, ledger = self._doubt, self._ledger
        if doubt is None or ledger is None or _is_run(settled, range(doubt.number, self._ahead)):
            return
        lines, records = self._aside(), self._aside()
        self._lines.take_back(doubt.lines, lines)
        ledger.take_back(doubt.ledger, records)
        self._verdicts, self._usage = doubt.ledger.verdicts.copy(), doubt.usage
        self._taken_back = TakenBack(doubt, self._ahead, lines, records, self._join)
        self._ahead = doubt.number

    def _write_one(self, number: int, settled: Settled) -> None:
        row = settled.rows[number]
        back = self._taken_back
        if back is not None and number < back.end:
            record, echoed = back.record(number), UNSEEN
        else:
            record, echoed = self._spool.record(number), self._spool.echoed(number)
        self._write_record(record, row, self._expected(row, echoed), settled.fates[number])

    def _expected(self, row: int, echoed: int) -> Expectation:
        """The answer that a row asks for. `echoed` is the place of the expectation of the request in its result."""
        place = UNSEEN if row == NOWHERE else self._join.expectation(row)
        return self._expectations.at(echoed if place == UNSEEN else place)

    def _write_record(self, record: Record, row: int, expected: Expectation, fate: int) -> None:
        """Write a result of this row, or of none."""
        plain = read_plain(record[1])
        if plain is not None and are_good([plain], expected):
            found = RowVerdict.OK
            self._usage.add_counts(plain.usageMetadata, plain.modelVersion)
            self._usage.note_statuses([plain.modelStatus])
        else:
            outcome = _outcome(record[1])
            found = _judge(outcome, expected)
            self._usage.add(outcome)
        ledger, lines = self._ledger, self._lines
        position = row if ledger is None or row == NOWHERE else ledger.position(row)
        head = head_of(record, row, position, self._join, found)
        if fate == Fate.MATCHED:
            self._verdicts[found] += 1
            if ledger is not None and row != NOWHERE:
                ledger.add(row, found, lines.end + len(head), len(record[1]) - 1)
        lines.add(head + record[1][1:] + b"\n")

    def _write_good(self, numbers: range, settled: Settled) -> bool:
        """Write results of rows that come one after the other; False, if not all are answers of the usual form."""
        rows = range(settled.rows[numbers[0]], settled.rows[numbers[-1]] + 1)
        place = self._join.common_expectation(rows) if len(rows) == len(numbers) else UNSEEN
        if place == UNSEEN:
            return False
        keys, outcomes, members = self._spool.columns(numbers)
        answers = read_all_plain(b"\n".join(outcomes)) if set(members) == {NO_MEMBERS} else None
        if answers is None or not are_good(answers, self._expectations.at(place)):
            return False
        self._add_usage(answers)
        self._put_good(rows, self._join.keys(rows, keys), [list(map(_without_brace, outcomes))], OUTCOME_LINE)
        return True

    def _put_good(self, rows: range, keys: Column, ends: Sequence[Column], line: Template) -> None:
        """Write good answers of rows that come one after the other.

        `ends` are the texts in the gaps of `line` after the key and the index.
        """
        self._verdicts[RowVerdict.OK] += len(rows)
        ledger = self._ledger
        indexes = list(map(b"%d".__mod__, rows if ledger is None else ledger.positions(rows)))
        lines = line.lines([keys, indexes, *ends], len(rows))
        if ledger is not None:
            sizes = list(map(len, BytesIO(lines)))
            heads = [AROUND_KEY + size for size in map(add, map(len, keys), map(len, indexes))]
            offsets = map(add, accumulate(sizes, initial=self._lines.end), heads)
            # Without the end of the line.
            lengths = [size - head - 1 for size, head in zip(sizes, heads, strict=True)]
            ledger.add_good(rows, offsets, lengths)
        self._lines.add(lines)

    def _add_usage(self, answers: Sequence[PlainAnswer] | Sequence[CountedAnswer]) -> None:
        self._usage.note_statuses([one.modelStatus for one in answers if one.modelStatus is not UNSET])
        versions = [one.modelVersion for one in answers]
        counted = [one.usageMetadata for one in answers if isinstance(one, CountedAnswer)]
        if counted:
            self._usage.add_plain(counted, versions)
        else:
            self._usage.add_all([one.usageMetadata for one in answers if isinstance(one, PlainAnswer)], versions)


def _is_run(settled: Settled, numbers: range) -> bool:
    """Whether each of these results is that of the row with its number."""
    rows = settled.rows[numbers.start : numbers.stop]
    is_in_place = rows == (numbers if isinstance(rows, range) else array("q", numbers))
    return is_in_place and settled.fates.count(Fate.MATCHED, numbers.start, numbers.stop) == len(numbers)


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
