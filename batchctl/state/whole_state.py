"""A state as a whole: checked, taken out, put in.

Owns what `state push` and `state rebuild` do to the tables. Nothing here takes the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database

from batchctl.model.desired import Json
from batchctl.model.recorded import Recorded, Write
from batchctl.state.connection import connect_writer
from batchctl.state.migrations import TABLES, transaction
from batchctl.state.records import Stored
from batchctl.state.seal import reseal
from batchctl.state.snapshot import read_events, read_recorded
from batchctl.state.sqlite_errors import corrupt
from batchctl.state.writes import EVENTS_KEPT, apply_write


@dataclass(frozen=True)
class Content:
    """All records of a state that was found sound."""

    recorded: Recorded = field(default_factory=Recorded)
    tables: Mapping[str, Sequence[Stored]] = field(default_factory=dict)
    """The records of every table but `meta`."""


def find_divergence(present: Content, given: Content) -> str | None:
    """Why the given state does not continue the present one, for people; None when it does.

    Lineage and serial tell copies apart only while one of them rests. What tells that both went on is the history:
    nothing of weight is recorded without an event (see `writes.explain_rows`), events are never changed, and their
    numbers go on. So a state that continues another has all of its events, but for those that are too old to be kept.
    """
    mine, theirs = present.recorded, given.recorded
    if mine.is_new:
        return None
    if theirs.lineage != mine.lineage:
        return "the file comes from another line of states than the present one"
    if theirs.serial < mine.serial:
        return f"the file is older than the present state: serial {theirs.serial}, and that is at {mine.serial}"
    same = all(_set(present.tables[table]) == _set(given.tables[table]) for table in present.tables)
    if theirs.serial == mine.serial and not same:
        return f"the file and the present state have the same serial {mine.serial} and other records"
    if same or _has_events(given.tables["events"], present.tables["events"]):
        return None
    return "both the file and the present state went on since they were copies of each other"


def _set(records: Sequence[Stored]) -> set[tuple[tuple[str, Json], ...]]:
    return {tuple(sorted(record.items())) for record in records}


def _has_events(later: Sequence[Stored], earlier: Sequence[Stored]) -> bool:
    """Whether one history goes on from another. A job's name is left out: `state mv` changes it in old events, too."""
    found = {record["id"]: {**record, "job": None} for record in later}
    first = min(found, default=0)
    newest = max((record["id"] for record in earlier), default=None)
    return (newest is None or newest in found) and all(
        found.get(record["id"]) == {**record, "job": None} for record in earlier if record["id"] >= first
    )


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
    """Fill a new file that no other process knows yet."""
    with closing(connect_writer(path)) as db, transaction(db):
        for write in writes:
            apply_write(db, write, who)
        db.execute("UPDATE meta SET serial = serial + 1")


def check_pages(db: Database, path: Path) -> None:
    """Raise StateError (`StateCorrupt`) when SQLite finds the file damaged, its indexes included."""
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise corrupt(path, found)
