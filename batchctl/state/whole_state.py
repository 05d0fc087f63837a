"""The complete content of a state: checks it, reads it, replaces it, for `state push` and `state rebuild`.

Nothing here takes the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct, field

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError
from batchctl.model.json_value import Json
from batchctl.model.recorded import Recorded
from batchctl.model.writes import Write
from batchctl.state.cells import Stored
from batchctl.state.connection import connect_writer
from batchctl.state.database import Database
from batchctl.state.formats import TABLES
from batchctl.state.migrations import transaction
from batchctl.state.seal import reseal
from batchctl.state.snapshot import read_events, read_recorded
from batchctl.state.sqlite_errors import corrupt
from batchctl.state.writes import EVENTS_KEPT, apply_writes


class Content(Struct, frozen=True):
    """All records of a valid state."""

    recorded: Recorded = field(default_factory=Recorded)
    tables: Mapping[str, Sequence[Stored]] = field(default_factory=dict)
    """The records of every table but `meta`."""


def find_divergence(present: Content, given: Content) -> str | None:
    """Why the given state does not continue the present one, for people; None if it does.

    Lineage and serial are enough only if one of the two copies did not change. Otherwise the history decides: every
    important change has an event (see `writes.explain_rows`), events never change, and their numbers increase. So a
    state that continues another has all of its events, except those that are too old to be kept.
    """
    mine, theirs = present.recorded, given.recorded
    if mine.is_new:
        return None
    if theirs.lineage != mine.lineage:
        return "the file has another lineage than the present state"
    if theirs.serial < mine.serial:
        return f"the file is older than the present state: its serial is {theirs.serial}, the state's is {mine.serial}"
    same = all(_set(present.tables[table]) == _set(given.tables[table]) for table in present.tables)
    if theirs.serial == mine.serial and not same:
        return f"the file and the present state have the same serial {mine.serial} but different records"
    if same or _has_events(given.tables["events"], present.tables["events"]):
        return None
    return "the file and the present state have both changed since one was a copy of the other"


def _set(records: Sequence[Stored]) -> set[tuple[tuple[str, Json], ...]]:
    return {tuple(sorted(record.items())) for record in records}


def _has_events(later: Sequence[Stored], earlier: Sequence[Stored]) -> bool:
    """Whether one history continues another. Names of jobs are ignored: `state mv` changes them in old events, too."""
    found = {record["id"]: {**record, "job": None} for record in later}
    first = min(found, default=0)
    newest = max((record["id"] for record in earlier), default=None)
    return (newest is None or newest in found) and all(
        found.get(record["id"]) == {**record, "job": None} for record in earlier if record["id"] >= first
    )


def read_content(db: Database, path: Path) -> Content:
    """The content of a file in the newest format. Raises StateError (`StateCorrupt`) if any of it is invalid."""
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
    """Write into a new file that no other process knows yet."""
    with closing(connect_writer(path)) as db, transaction(db):
        apply_writes(db, writes, who)
        db.execute("UPDATE meta SET serial = serial + 1")


def check_pages(db: Database, path: Path) -> None:
    """Raise StateError (`StateCorrupt`) if SQLite finds damage in the file or its indexes."""
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise corrupt(path, found)


def require_same(path: Path, present: Recorded, former: Recorded) -> None:
    """Raise StateError (`StateBusy`) if another process wrote to the state since it was read."""
    if (present.lineage, present.serial) != (former.lineage, former.serial):
        message = f"another process wrote to the state file {path} in the meantime; it is unchanged"
        raise StateError(message, code=ErrorCode.STATE_BUSY, hint="run the command again")
