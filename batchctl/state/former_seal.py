"""The hashes of records in the seal of the formats 4 to 22.

A file of such a format is checked with them before it is migrated, and sealed with them between two migrations.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from batchctl.state.database import Database

_BYTES = 16
# A damaged file may contain values that are not JSON; their repr never matches the seal.
_encode = json.JSONEncoder(default=repr).encode


def former_sum(db: Database, table: str) -> int:
    """The sum of the hashes of all records of a table."""
    cursor = db.conn.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
    columns = sorted((column[0], place) for place, column in enumerate(cursor.description))
    return sum(_hash(table, [(name, cells[place]) for name, place in columns]) for cells in cursor)


def _hash(table: str, cells: Sequence[tuple[str, object]]) -> int:
    return int.from_bytes(hashlib.sha256(_encode([table, cells]).encode()).digest()[:_BYTES], "big")
