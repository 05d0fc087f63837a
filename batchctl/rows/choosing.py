"""Gives the rows that an attempt sends to its shards: the distinct ones that its choice names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from heapq import nsmallest
from typing import Protocol

from batchctl.model.input_rows import RowColumns
from batchctl.model.pieces import pieces_of
from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_work import RowChoice
from batchctl.rows.cutting import Cutter
from batchctl.rows.ledger_index import LedgerIndex
from batchctl.rows.mark_sets import MarkSets
from batchctl.rows.ordered_rows import name_of


class ReadRows(Protocol):
    """Reads all rows of the input."""

    def __call__(self, *, ahead: bool = False) -> Iterable[InputRow]:
        """The rows; `ahead`: all of them will most likely be sent."""
        ...


class Choosing:
    """Chooses the rows of one attempt. `read` reads all rows of the input."""

    def __init__(self, read: ReadRows, index: LedgerIndex, choice: RowChoice, *, is_split: bool = False) -> None:
        """`is_split`: the manifest splits the rows into shards, which are sent one by one."""
        self._read = read
        self._index = index
        self._choice = choice
        self._is_split = is_split
        self.total = 0
        """Rows of the input."""
        self.distinct = 0
        """Distinct rows that the choice names; a canary sends fewer."""
        self.sent = 0

    def cut(self, new_cutter: Callable[[], Cutter]) -> Cutter:
        """Read all rows, and give the chosen ones to a cutter."""
        if self._choice.most is None and self._choice.sends_new_rows and not len(self._index):
            cutter = new_cutter()
            if self._send_all(cutter):
                return cutter
        cutter = new_cutter()
        self._send_some(cutter)
        return cutter

    def _send_all(self, cutter: Cutter) -> bool:
        """Send all rows, as a first attempt does; False if two of them may be the same, and then nothing counts.

        So no set of all fingerprints is in memory, but for an input with repeated rows.
        """
        position = 0
        with closing(MarkSets()) as marks:
            for piece in pieces_of(self._read(ahead=not self._is_split)):
                if isinstance(piece, RowColumns):
                    cutter.add_columns(position, piece)
                    marks.add(_marks_of(b"".join(piece.fingerprints)))
                    position += len(piece)
                    continue
                for row in piece:
                    cutter.add(position, row)
                    marks.add(_marks_of(row.fingerprint))
                    position += 1
            self.total = self.distinct = self.sent = position
            return all(shard.has_fingerprints for shard in cutter.shards) and not marks.repeated()

    def _send_some(self, cutter: Cutter) -> None:
        chosen: Iterable[tuple[int, InputRow]] = self._chosen(self._read())
        if self._choice.most is not None:
            chosen = _spread(chosen, self._choice.most)
        self.sent = 0
        for position, row in chosen:
            cutter.add(position, row)
            self.sent += 1

    def _chosen(self, rows: Iterable[InputRow]) -> Iterator[tuple[int, InputRow]]:
        """The rows to send, with their positions."""
        seen, history, choice = set[bytes](), self._index.history, self._choice
        for position, row in enumerate(rows):
            self.total = position + 1
            if row.fingerprint not in seen and choice.sends(history(row.fingerprint), name_of(row, position)):
                seen.add(row.fingerprint)
                yield position, row
        self.distinct = len(seen)


def _marks_of(prints: bytes) -> Sequence[int]:
    """The first half of each fingerprint, which is enough for a suspicion."""
    return memoryview(prints).cast("q")[::2].tolist()


def _spread(rows: Iterable[tuple[int, InputRow]], most: int) -> list[tuple[int, InputRow]]:
    """So many of the rows, by the order of fingerprints: the same rows are chosen again."""
    return sorted(nsmallest(most, rows, key=lambda one: one[1].fingerprint), key=lambda one: one[0])
