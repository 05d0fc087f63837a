"""Applies the model's `Write` values to the tables, inside the transaction of a commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias, assert_never

from msgspec import Struct

from batchctl.model.events import Event, EventKind
from batchctl.model.writes import (
    AddEvent,
    DropFile,
    DropGhost,
    DropNotice,
    DropPast,
    ForgetJob,
    RenameJob,
    SaveAttempt,
    SaveFile,
    SaveGhost,
    SaveIdentity,
    SaveJob,
    SaveNotice,
    SavePast,
    SaveQuota,
    Write,
)
from batchctl.state.cells import Cell, Record, text_cell
from batchctl.state.database import Database
from batchctl.state.job_records import attempt_record, intent_record, job_record, key_record
from batchctl.state.records import event_record, file_record, ghost_record, notice_record, past_record, quota_record
from batchctl.state.seal import KEYS, Scope, resealed

EVENTS_KEPT = 10_000
"""The number of events that are kept: months of history in a few megabytes."""

_OneRecord: TypeAlias = SaveJob | SaveIdentity | SaveQuota | SaveFile | SaveNotice | SaveGhost | SavePast
"""Writes that put one record in place."""
_OneThing: TypeAlias = _OneRecord | SaveAttempt | DropFile | DropNotice | DropGhost | DropPast
"""Writes whose records no other write touches."""


class _Change(Struct, frozen=True):
    """One record to put in place, or to delete."""

    table: str
    record: Record
    deletes: bool = False

    @property
    def scope(self) -> Scope:
        key = KEYS[self.table]
        return Scope(
            self.table,
            " and ".join(f"{column} = ?" for column in key),
            [_key_value(self.record[column]) for column in key],
        )

    def apply(self, db: Database) -> None:
        """Make the change. Its statements are few and always the same, so SQLite prepares each of them once."""
        if self.deletes:
            scope = self.scope
            db.execute(f"DELETE FROM {scope.table} WHERE {scope.where}", scope.values)  # noqa: S608 - our own names
        else:
            db.execute(_put(self.table, tuple(self.record)), list(self.record.values()))


def _key_value(cell: Cell) -> str | int:
    assert cell is not None, "key columns are never NULL"
    return cell


@lru_cache(maxsize=len(KEYS))
def _put(table: str, columns: tuple[str, ...]) -> str:
    """The statement that inserts a record, or replaces the one with the same key."""
    key, names, places = ", ".join(KEYS[table]), ", ".join(columns), ", ".join("?" * len(columns))
    replaced = ", ".join(f"{column} = excluded.{column}" for column in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT ({key}) DO UPDATE SET {replaced}"  # noqa: S608 - our own names


def apply_writes(db: Database, writes: Iterable[Write], who: str) -> None:
    """Apply changes in order, inside the transaction of a commit, and update the seal.

    `who` is used for an event that names no one.
    """
    changes: dict[tuple[object, ...], _Change] = {}
    for write in writes:
        match write:
            case AddEvent(event):
                db.execute(*_insert(event_record(event, who)))
            case ForgetJob(job):
                _apply_all(db, changes)
                with resealed(db, _of_job(job)):
                    # Foreign keys delete its attempts and intents.
                    db.execute("DELETE FROM jobs WHERE name = ?", [job])
            case RenameJob(job, to):
                _apply_all(db, changes)
                _rename(db, job, to)
            case _:
                # Of several values of one record only the last one is ever visible.
                changes |= {(change.table, *change.scope.values): change for change in _changes(write)}
    _apply_all(db, changes)


def _apply_all(db: Database, changes: dict[tuple[object, ...], _Change]) -> None:
    """Apply changes of separate records, which share one update of the seal, and empty the collection."""
    with resealed(db, [change.scope for change in changes.values()]):
        for change in changes.values():
            change.apply(db)
    changes.clear()


def _changes(write: _OneThing) -> Sequence[_Change]:
    match write:
        case SaveAttempt(attempt):
            intent = attempt.intent
            of_intent = (
                _Change("intents", key_record(attempt.key), deletes=True)
                if intent is None
                else _Change("intents", intent_record(attempt.key, intent))
            )
            return [_Change("attempts", attempt_record(attempt)), of_intent]
        case DropFile(file):
            return [_Change("files", file_record(file), deletes=True)]
        case DropNotice(notice):
            return [_Change("outbox", notice_record(notice), deletes=True)]
        case DropGhost(ghost):
            return [_Change("ghosts", ghost_record(ghost), deletes=True)]
        case DropPast(past):
            return [_Change("history", past_record(past), deletes=True)]
        case _:
            return [_saved(write)]


def _saved(write: _OneRecord) -> _Change:
    match write:
        case SaveJob(job):
            return _Change("jobs", job_record(job))
        case SaveIdentity(account, identity):
            return _Change("accounts", {"account": text_cell(str(account)), "identity": identity})
        case SaveQuota(quota):
            return _Change("quotas", quota_record(quota))
        case SaveFile(file):
            return _Change("files", file_record(file))
        case SaveNotice(notice):
            return _Change("outbox", notice_record(notice))
        case SaveGhost(ghost):
            return _Change("ghosts", ghost_record(ghost))
        case SavePast(past):
            return _Change("history", past_record(past))
        case _ as never:
            assert_never(never)


def _of_job(job: str) -> list[Scope]:
    return [Scope("jobs", "name = ?", [job]), Scope("attempts", "job = ?", [job]), Scope("intents", "job = ?", [job])]


def _rename(db: Database, job: str, to: str) -> None:
    notices = (Scope("outbox", "job = ?", [name]) for name in (job, to))
    with resealed(db, [*_of_job(job), *_of_job(to), *notices]):
        # Foreign keys are inconsistent while the names change; the commit checks them.
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("UPDATE jobs SET name = ? WHERE name = ?", [to, job])
        for table in ("attempts", "intents", "events", "outbox"):
            db.execute(f"UPDATE {table} SET job = ? WHERE job = ?", [to, job])  # noqa: S608 - our own names


def _insert(event: Record) -> tuple[str, list[Cell]]:
    """The statement that adds an event, and its values."""
    names, places = ", ".join(event), ", ".join("?" * len(event))
    return f"INSERT INTO events ({names}) VALUES ({places})", list(event.values())  # noqa: S608 - our own names


def explain_rows(db: Database, writes: Sequence[Write], time: datetime) -> Iterator[AddEvent]:
    """Events for rows of `jobs` that change and have no event in the same commit.

    Such a row has facts that are nowhere else: orders, releases, and settings of manifests that were removed.
    """
    explained = {write.event.job for write in writes if isinstance(write, AddEvent)}
    records = {write.job.name: job_record(write.job) for write in writes if isinstance(write, SaveJob)}
    for name in sorted(records.keys() - explained):
        columns = ", ".join(records[name])
        for row in db.execute(f"SELECT {columns} FROM jobs WHERE name = ?", [name]):  # noqa: S608 - our own names
            changed = [
                column for column, before in zip(records[name], row, strict=True) if before != records[name][column]
            ]
            if changed:
                yield AddEvent(Event(time, name, None, EventKind.RECORDED.words, f"changed: {', '.join(changed)}"))


def prune_events(db: Database) -> None:
    """Delete all but the newest `EVENTS_KEPT` events. Ids increase by one, so only the low end of the key is read."""
    db.execute("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", [EVENTS_KEPT])
