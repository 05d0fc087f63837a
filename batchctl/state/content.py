"""A state as a whole: checked, taken out, put in.

Owns what `state push` and `state rebuild` do to the tables. Nothing here takes the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database

from batchctl.model.recorded import Recorded, Write
from batchctl.state.connection import connect_writer
from batchctl.state.faults import corrupt
from batchctl.state.migrations import TABLES, transaction
from batchctl.state.records import Stored
from batchctl.state.seal import reseal
from batchctl.state.snapshot import read_events, read_recorded
from batchctl.state.writes import EVENTS_KEPT, apply_write


@dataclass(frozen=True)
class Content:
    """All records of a state that was found sound."""

    recorded: Recorded = field(default_factory=Recorded)
    tables: Mapping[str, Sequence[Stored]] = field(default_factory=dict)
    """The records of every table but `meta`."""


def read_content(db: Database, path: Path) -> Content:
    """Everything in a file of today's format. Raises StateError (`StateCorrupt`) when any of it is unsound."""
    check_pages(db, path)
    recorded = read_recorded(db, path)
    read_events(db, path, None, EVENTS_KEPT)
    return Content(recorded, {table: list(db.table(table).rows) for table in TABLES if table != "meta"})


def put_content(db: Database, content: Content) -> None:
    """Replace all records. Called inside the one transaction of a commit."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    for table, records in content.tables.items():
        columns = [column.name for column in db.table(table).columns]
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names
        for record in records:
            db.execute(statement, [record[column] for column in columns])
    reseal(db)
    meta = [content.recorded.lineage, content.recorded.serial + 1]
    db.execute("UPDATE meta SET lineage = ?, serial = ?", meta)


def write_once(path: Path, writes: Sequence[Write], who: str) -> None:
    """Fill a new file that nobody else knows yet."""
    with closing(connect_writer(path)) as db, transaction(db):
        for write in writes:
            apply_write(db, write, who)
        db.execute("UPDATE meta SET serial = serial + 1")


def check_pages(db: Database, path: Path) -> None:
    """Raise StateError (`StateCorrupt`) when SQLite finds the file damaged, its indexes included."""
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise corrupt(path, found)
