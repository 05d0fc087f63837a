"""Results as a Parquet file with typed columns. Needs pyarrow, which is an extra."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.result_columns import COLUMNS, Cell, Cells, ColumnType

_ROWS_HELD = 4096
_CHARACTERS_HELD = 8 * 2**20
"""A row group is written when it has so many rows, or so much text: memory does not grow with the results."""
_NUMBER_SIZE = 32
_SURROGATE = re.compile("[\ud800-\udfff]")
"""UTF-8 has no lone surrogates."""


class ParquetWriter:
    """Writes row groups of a bounded size. Call `close` after the last row, or the file is not complete."""

    def __init__(self, sink: BinaryIO) -> None:
        pyarrow, parquet = _libraries()
        types = {
            ColumnType.TEXT: pyarrow.string(),
            ColumnType.JSON: pyarrow.string(),
            ColumnType.INTEGER: pyarrow.int64(),
            ColumnType.VECTOR: pyarrow.list_(pyarrow.float64()),
        }
        self._pyarrow = pyarrow
        self._schema = pyarrow.schema([(column.name, types[column.type]) for column in COLUMNS])
        self._writer = parquet.ParquetWriter(sink, self._schema, compression="zstd")
        self._rows: list[dict[str, Cell]] = []
        self._held = 0

    def write(self, cells: Cells) -> None:
        """Write one row."""
        row = {column.name: _storable(cells.get(column.name)) for column in COLUMNS}
        self._rows.append(row)
        self._held += sum(map(_size, row.values()))
        if len(self._rows) >= _ROWS_HELD or self._held >= _CHARACTERS_HELD:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._pyarrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._held = [], 0


def _libraries() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise BatchctlError(
            "-o parquet needs pyarrow, which is not installed",
            code=ErrorCode.MISSING_LIBRARY,
            hint="`pip install '.[parquet]'` in the clone of batchctl, or `pip install pyarrow` beside it",
        ) from error
    return pa, parquet


def _storable(value: Cell) -> Cell:
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value


def _size(value: Cell) -> int:
    if isinstance(value, str):
        return len(value)
    return len(value) * _NUMBER_SIZE if isinstance(value, tuple) else 0
