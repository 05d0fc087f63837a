"""Reads records of tables, and names the record that cannot be read. Adds up the seal of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError
from batchctl.state.cells import NewerError, Stored
from batchctl.state.database import Database
from batchctl.state.seal import KEYS, Cells, SealedTable, has_seal
from batchctl.state.sqlite_errors import corrupt

T = TypeVar("T")

_MOST_NAMED = 3

UNREADABLE = (KeyError, NewerError, ValueError, TypeError, RecursionError, OverflowError)
"""The exceptions of readers."""

ManyReader = Callable[[Sequence[str], Sequence[Cells]], Sequence[T] | None]
"""Reads many records at once, whose columns come first; None, or an exception of `UNREADABLE`: not all are as usual."""


class Reading:
    """One reading of all records that have a seal."""

    def __init__(self, db: Database, path: Path) -> None:
        self._db = db
        self._path = path
        self._total = 0

    @property
    def is_intact(self) -> bool:
        """Whether what was read is everything that was sealed, as it was written."""
        return has_seal(self._db, self._total)

    def records(self, table: str, read: Callable[[Stored], T], read_many: ManyReader[T] | None = None) -> list[T]:
        """All records of a table. Raises StateError (`StateCorrupt`), which names table and record.

        `read_many` may read those that are as usual: `read` decides about all others, and explains what is wrong.
        Tables are read without their indexes: a damaged index shows other records, or none.
        """
        sealed = SealedTable(self._db, table)
        found: list[T] = []
        for block, total in sealed.blocks():
            self._total += total
            many = None if read_many is None else _usual(read_many, sealed.columns, block)
            if many is not None:
                found.extend(many)
                continue
            for cells in block:
                stored = dict(zip(sealed.columns, cells, strict=True))
                with naming(self._path, table, stored):
                    found.append(read(stored))
        return found


def _usual(read_many: ManyReader[T], columns: Sequence[str], block: Sequence[Cells]) -> Sequence[T] | None:
    try:
        return read_many(columns, block)
    except UNREADABLE:
        return None


def select(db: Database, source: str, values: Sequence[str | int] = ()) -> Iterator[Stored]:
    """Records by the names of their columns.

    Without sqlite-utils, which also asks for all tables and views: every pass reads all tables.
    """
    cursor = db.conn.execute(f"SELECT * FROM {source}", values)  # noqa: S608 - our own names
    names = [column[0] for column in cursor.description]
    for cells in cursor:
        yield dict(zip(names, cells, strict=True))


@contextmanager
def naming(path: Path, table: str, stored: Stored) -> Iterator[None]:
    """Raise a StateError that names table and record for an exception of a reader."""
    try:
        yield
    except UNREADABLE as error:
        raise _unreadable(error, path, table, stored) from error


def _unreadable(error: Exception, path: Path, table: str, stored: Stored) -> StateError:
    """The error for a record that cannot be read."""
    if isinstance(error, KeyError):
        return corrupt(path, f"table {table} lacks a value for {error.args[0]!r}")
    record = f"table {table}, record {_name(table, stored)}: {error}"
    if isinstance(error, NewerError):
        message = f"the state file {path} was written by a newer batchctl: {record}"
        return StateError(message, code=ErrorCode.STATE_TOO_NEW, hint="upgrade batchctl")
    return corrupt(path, record)


def _name(table: str, stored: Stored) -> str:
    """The key of a record, or its first columns."""
    return " ".join(str(stored.get(column)) for column in KEYS.get(table, tuple(stored)[:_MOST_NAMED]))
