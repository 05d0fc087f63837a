"""Cuts the rows of an attempt into shards that a remote job may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ResultsError
from batchctl.model.input_rows import RowColumns
from batchctl.model.ports.inputs import InputRow
from batchctl.model.row_work import MOST_SHARDS, RowChoice, ShardLimits
from batchctl.model.work_size import TOKEN_BYTES
from batchctl.rows.new_list import NewList

_LINE_BYTES = 300
"""The most bytes that a line has besides its request and its key: labels, and the members around them."""


class Cutter:
    """Takes the rows to send in the order of the input, and puts as many into a shard as its limits allow.

    The same rows and limits give the same shards. A row that exceeds a limit by itself is a shard of its own.
    """

    def __init__(self, limits: ShardLimits, choice: RowChoice, new_token: Callable[[], str], token: str) -> None:
        self._limits = limits
        self._choice = choice
        self._new_token = new_token
        self.shards = [NewList(token, choice)]
        self._size = Size()

    def add(self, position: int, row: InputRow) -> None:
        """Add the next row to send."""
        size = Size.of(row)
        after = self._size.plus(size)
        if len(self.shards[-1]) and after.exceeds(len(self.shards[-1]) + 1, self._limits):
            _require_few(len(self.shards))
            self.shards.append(NewList(self._new_token(), self._choice))
            after = size
        self.shards[-1].add(position, row)
        self._size = after

    def add_columns(self, position: int, columns: RowColumns) -> None:
        """Add the next rows to send. `position` is that of the first one."""
        after = self._size.plus(Size.of_columns(columns))
        if after.exceeds(len(self.shards[-1]) + len(columns), self._limits):
            for place, row in enumerate(columns, position):
                self.add(place, row)
            return
        self.shards[-1].add_columns(position, columns)
        self._size = after

    def finish(self, total: int, *, is_canary: bool) -> Iterator[NewList]:
        """The shards, once all rows were added. `total` is the number of rows of the input."""
        for shard in self.shards:
            shard.total, shard.shards = total, len(self.shards)
            shard.is_canary = is_canary
            yield shard

    def close(self) -> None:
        """Delete the temporary files of all shards."""
        for shard in self.shards:
            shard.close()


def _require_few(shards: int) -> None:
    """Raise ResultsError if there are as many shards as an attempt may have."""
    if shards >= MOST_SHARDS:
        message = f"the limits of sharding split the input into more than {MOST_SHARDS:,} remote jobs"
        hint = "write larger limits in spec.sharding"
        raise ResultsError(message, code=ErrorCode.INPUT_TOO_LARGE, hint=hint)


class Size:
    """The size of some rows: bytes as they are sent, and output tokens at most."""

    def __init__(self, sent: int = 0, output: int = 0) -> None:
        self.sent = sent
        self.output = output

    @classmethod
    def of(cls, row: InputRow) -> Size:
        """The size of one row."""
        key = 0 if row.key is None else len(row.key.encode())
        return cls(row.size + key + _LINE_BYTES, row.output)

    @classmethod
    def of_columns(cls, columns: RowColumns) -> Size:
        """The size of several rows."""
        keys = len("".join(filter(None, columns.keys)).encode())
        sent = sum(columns.sizes) + keys + len(columns) * _LINE_BYTES
        return cls(sent, len(columns) * columns.output)

    def plus(self, other: Size) -> Size:
        """The size of both together."""
        return Size(self.sent + other.sent, self.output + other.output)

    def exceeds(self, rows: int, limits: ShardLimits) -> bool:
        """Whether so many rows of this size are more than a remote job may have."""
        found = (
            (rows, limits.rows),
            (self.sent, limits.bytes),
            (self.sent // TOKEN_BYTES, limits.tokens),
            (self.output * TOKEN_BYTES, limits.result_bytes),
        )
        return any(most is not None and size > most for size, most in found)
