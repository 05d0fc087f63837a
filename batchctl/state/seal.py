"""The seal: one checksum of all records, to detect changes by anything but batchctl.

SQLite checks the structure of a file, not its values. Without the seal, a flipped bit in a digest, a remote name or a
job's name could buy a job again or remove one. The checksum is a sum of hashes of single records, so that a write
updates it by the records that it changes. Events are not part of it: no decision depends on them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from batchctl.state.cells import read_text
from batchctl.state.database import Database

SEALED = ("jobs", "attempts", "intents", "files", "accounts", "quotas", "outbox", "ghosts", "history")

_BYTES = 16
_MODULUS = 1 << 8 * _BYTES


class Scope(Struct, frozen=True):
    """Some records of one table."""

    table: str
    where: str
    values: Sequence[str | int]


@contextmanager
def resealed(db: Database, scopes: Sequence[Scope]) -> Iterator[None]:
    """Update the seal after the records of these scopes changed. Call it inside the transaction of a commit."""
    if not scopes:
        yield
        return
    before = sum(_sum(db, scope) for scope in scopes)
    yield
    after = sum(_sum(db, scope) for scope in scopes)
    _write(db, _read(db) + after - before)


def reseal(db: Database) -> None:
    """Compute the seal of the present records: after a migration, or when all were replaced."""
    _write(db, _total(db))


def is_intact(db: Database) -> bool:
    """Whether the records match the seal. A file of a format without a seal is accepted."""
    return not is_sealed(db) or _read(db) == _total(db)


def is_sealed(db: Database) -> bool:
    """Whether the file's format has a seal."""
    return any(column[1] == "seal" for column in db.conn.execute("PRAGMA table_info(meta)"))


def _total(db: Database) -> int:
    present = set(db.table_names())
    total = sum(_sum(db, Scope(table, "1", ())) for table in SEALED if table in present)
    return total % _MODULUS


def _sum(db: Database, scope: Scope) -> int:
    # Without sqlite-utils: this runs twice for every write, and needs only names and values.
    cursor = db.conn.execute(f"SELECT * FROM {scope.table} WHERE {scope.where}", scope.values)  # noqa: S608 - our own names
    columns = sorted((column[0], place) for place, column in enumerate(cursor.description))
    return sum(_hash(scope.table, [(name, cells[place]) for name, place in columns]) for cells in cursor)


# A damaged file may contain values that are not JSON; their repr never matches the seal.
_encode = json.JSONEncoder(default=repr).encode


def _hash(table: str, cells: Sequence[tuple[str, object]]) -> int:
    """The hash of a record: `cells` in the order of their columns' names."""
    return int.from_bytes(hashlib.sha256(_encode([table, cells]).encode()).digest()[:_BYTES], "big")


def _read(db: Database) -> int:
    seal = read_text(db.execute("SELECT seal FROM meta").fetchone()[0])
    return int(seal, 16)


def _write(db: Database, total: int) -> None:
    db.execute("UPDATE meta SET seal = ?", [f"{total % _MODULUS:032x}"])
