"""Results on their way to the file: taken as they arrive, to be read again in input order.

Owns the memory bound: what came waits on disk, and only a number for each stays in memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from typing import BinaryIO, TypeAlias

from batchctl.model.answer_lines import AnswerLines
from batchctl.model.ports.providers import ResultItem
from batchctl.model.result_json import decoded, encoded, encoded_each
from batchctl.rows.arrivals import ReadAgain
from batchctl.rows.expectation import UNSEEN
from batchctl.rows.fingerprint import fingerprint
from batchctl.rows.large_writes import LargeWrites
from batchctl.rows.read_ahead import ReadAhead

NO_MEMBERS = b"{}"
_NAMELESS = 0
_RECORD = b"%b\n%b\n%b\n"
_ANSWER_RECORD = b'%b\n{"response":%b}\n{}\n'
_RUN = 2**18
"""Bytes of results that are read at once."""


Record: TypeAlias = tuple[bytes, bytes, bytes]
"""The key of a result, its outcome, and its members; each as JSON."""


def record_of(item: ResultItem) -> Record:
    """A result as it is put aside."""
    outcome = {"error": dict(item.error or {})} if item.response is None else {"response": dict(item.response)}
    members = encoded(dict(item.members)) if item.members else NO_MEMBERS
    return encoded(item.key), encoded(outcome), members


class Spool:
    """Results in arrival order. `stream` is an empty file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._records = ReadAhead(stream)
        self._writes = LargeWrites(stream.write)
        self._skipped = 0
        self._offsets = array("q", [0])
        self._echoed = array("q")
        """By result that was not skipped."""

    def __len__(self) -> int:
        return self._skipped + len(self._offsets) - 1

    def add(self, record: Record, echoed: int) -> None:
        """Add the next result. `echoed` is the place of the expectation of its echoed request."""
        self._echoed.append(echoed)
        line = _RECORD % record
        self._writes.add(line)
        self._offsets.append(self._offsets[-1] + len(line))

    def add_answers(self, answers: AnswerLines) -> None:
        """Add the next results."""
        self._echoed.extend([UNSEEN] * len(answers))
        records = list(map(_ANSWER_RECORD.__mod__, zip(encoded_each(answers.keys), answers.responses, strict=True)))
        self._writes.add(b"".join(records))
        self._offsets.extend(accumulate(map(len, records), initial=self._offsets.pop()))

    def skip(self, count: int) -> None:
        """Count the next results, which are kept elsewhere: only the first ones can be."""
        assert len(self._offsets) == 1
        self._skipped += count

    def echoed(self, number: int) -> int:
        """The place of the expectation of the request that a result echoes."""
        return self._echoed[number - self._skipped]

    def read_answer(self, number: int) -> ReadAgain:
        """The key and the response of a result."""
        key, outcome, _ = self.record(number)
        return decoded(key), decoded(outcome).get("response")

    def record(self, number: int) -> Record:
        """A result as it was put aside."""
        key, outcome, members = self._read(number, number + 1)
        return key, outcome, members

    def columns(self, numbers: range) -> tuple[Sequence[bytes], Sequence[bytes], Sequence[bytes]]:
        """The keys, outcomes and members of results that arrived one after the other."""
        found = self._read(numbers.start, numbers.stop)
        return found[0::3], found[1::3], found[2::3]

    def end_of_run(self, first: int) -> int:
        """The end of some results that can be read at once, beginning with this one."""
        end = bisect_right(self._offsets, self._offsets[first - self._skipped] + _RUN) - 1
        return max(first + 1, end + self._skipped)

    def count_anonymous(self, numbers: Iterable[int]) -> int:
        """The number of these results that have no name, or the same names as another result."""
        marks = array("Q", sorted(array("Q", map(self._mark, numbers))))
        sizes = ((mark, sum(1 for _ in alike)) for mark, alike in groupby(marks))
        return sum(size for mark, size in sizes if mark == _NAMELESS or size > 1)

    def _mark(self, number: int) -> int:
        """A fingerprint of what a result says of its row."""
        key, _, members = self.record(number)
        given = {name: value for name, value in decoded(members).items() if value is not None}
        return fingerprint([decoded(key), given]) if given or key != b"null" else _NAMELESS

    def _read(self, first: int, end: int) -> list[bytes]:
        self._writes.flush()
        start = self._offsets[first - self._skipped]
        return self._records.read(start, self._offsets[end - self._skipped] - start).split(b"\n")[:-1]
