"""The seal: one checksum of all records, to detect changes by anything but batchctl.

SQLite checks the structure of a file, not its values. Without the seal, a flipped bit in a digest, a remote name or a
job's name could buy a job again or remove one. The checksum is a sum of hashes of single records, so that a write
updates it by the records that it changes, and a reader adds it up while it reads. Events are not part of it: no
decision depends on them.

A record is hashed as MessagePack, with its columns in the order of their names. Before `SINCE`, the hash was that of a
JSON text (`former_seal`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from batchctl.state.cells import read_text
from batchctl.state.database import Database

KEYS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("name",),
    "attempts": ("job", "attempt", "shard"),
    "intents": ("job", "attempt", "shard"),
    "files": ("account", "sha256"),
    "accounts": ("account",),
    "quotas": ("account", "model"),
    "outbox": ("id", "hook"),
    "ghosts": ("account", "remote"),
    "history": ("account", "remote"),
}
"""The tables that have a seal, each with the columns that identify a record."""
SINCE = 23
"""The first format with this seal. A file of an older one keeps its seal until it has been migrated."""

_BYTES = 16
_MODULUS = 1 << 8 * _BYTES
_BLOCK = 100
"""So many records are in memory as cells at once: they stay in the caches of the processor while they are read."""

Cells: TypeAlias = tuple[Any, ...]
"""A record as it was read, with its columns in the order of their names."""

_encode = msgspec.msgpack.Encoder().encode


class Scope(Struct, frozen=True):
    """Some records of one table."""

    table: str
    where: str
    values: Sequence[str | int]


class SealedTable:
    """Reads the records of one table, each part with the sum of its hashes."""

    def __init__(self, db: Database, table: str) -> None:
        self._db = db
        names = [column[0] for column in db.execute(f"SELECT * FROM {table} LIMIT 0").description]  # noqa: S608 - our own names
        self.columns = tuple(sorted(names))
        quoted = ", ".join('"{}"'.format(name.replace('"', '""')) for name in self.columns)
        self._select = f"SELECT {quoted} FROM {table}"  # noqa: S608 - the file's own names, quoted
        self._salt = hashlib.sha256(_encode([table, *self.columns])).digest()

    def blocks(self, where: str = "1", values: Sequence[str | int] = ()) -> Iterator[tuple[list[Cells], int]]:
        """The records in blocks, each with its sum."""
        cursor = self._db.execute(f"{self._select} WHERE {where}", values)
        while block := cursor.fetchmany(_BLOCK):
            yield block, self._sum(block)

    def sum_of(self, where: str = "1", values: Sequence[str | int] = ()) -> int:
        """The sum of some records."""
        return sum(found for _, found in self.blocks(where, values))

    def _sum(self, block: Sequence[Cells]) -> int:
        salt, sha256, number = self._salt, hashlib.sha256, int.from_bytes
        return sum([number(sha256(salt + _encode(cells)).digest()[:_BYTES], "big") for cells in block])


@contextmanager
def resealed(db: Database, scopes: Sequence[Scope]) -> Iterator[None]:
    """Update the seal after the records of these scopes changed. Call it inside the transaction of a commit."""
    if not scopes:
        yield
        return
    tables = {table: SealedTable(db, table) for table in {scope.table for scope in scopes}}

    def total() -> int:
        return sum(tables[scope.table].sum_of(scope.where, scope.values) for scope in scopes)

    before = total()
    yield
    _write(db, _read(db) + total() - before)


def reseal(db: Database) -> None:
    """Compute the seal of the present records: after a migration, or when all were replaced."""
    _write(db, _total(db))


def is_intact(db: Database) -> bool:
    """Whether the records match the seal. A file of a format without a seal is accepted."""
    return not is_sealed(db) or has_seal(db, _total(db))


def has_seal(db: Database, total: int) -> bool:
    """Whether the file was sealed with this sum of all records."""
    return _read(db) == total % _MODULUS


def is_sealed(db: Database) -> bool:
    """Whether the file's format has a seal."""
    return any(column[1] == "seal" for column in db.conn.execute("PRAGMA table_info(meta)"))


def _total(db: Database) -> int:
    names = set(db.table_names())
    present = [table for table in KEYS if table in names]
    if db.execute("SELECT format_version FROM meta").fetchone()[0] >= SINCE:
        return sum(SealedTable(db, table).sum_of() for table in present)
    from batchctl.state.former_seal import former_sum

    return sum(former_sum(db, table) for table in present)


def _read(db: Database) -> int:
    seal = read_text(db.execute("SELECT seal FROM meta").fetchone()[0])
    return int(seal, 16)


def _write(db: Database, total: int) -> None:
    db.execute("UPDATE meta SET seal = ?", [f"{total % _MODULUS:032x}"])
