"""Applies the model's `Write` values to the tables, inside the transaction of a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import TypeAlias, assert_never

from msgspec import Struct

from batchctl.model.attempts import RecordedAttempt
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

_Saved: TypeAlias = SaveJob | SaveIdentity | SaveQuota | SaveFile | SaveNotice | SaveGhost | SavePast
_OneThing: TypeAlias = _Saved | DropFile | DropNotice | DropGhost | DropPast
"""Writes of one record."""


_TOGETHER = 64
"""Records of a table that are read with one statement."""

_WHERE: Mapping[str, str] = {table: " and ".join(f"{column} = ?" for column in key) for table, key in KEYS.items()}


class _Change(Struct, frozen=True):
    """One record to put in place, or to delete."""

    table: str
    key: tuple[str | int, ...]
    record: Record | None
    """None: it is deleted."""

    @property
    def statement(self) -> str:
        """The statement that makes it. These are few and always the same, so SQLite prepares each of them once."""
        if self.record is None:
            return f"DELETE FROM {self.table} WHERE {_WHERE[self.table]}"  # noqa: S608 - our own names
        return _put(self.table, tuple(self.record))

    @property
    def values(self) -> tuple[Cell, ...]:
        """The values of its statement."""
        return self.key if self.record is None else tuple(self.record.values())


_Changes: TypeAlias = dict[object, RecordedAttempt | _Change]
"""Changes by the record that they are for, in the order of the first change of each."""


def _put_in(table: str, record: Record) -> _Change:
    return _Change(table, _key(table, record), record)


def _drop_from(table: str, record: Record) -> _Change:
    return _Change(table, _key(table, record), None)


def _key(table: str, record: Record) -> tuple[str | int, ...]:
    return tuple([_key_value(record[column]) for column in KEYS[table]])


def _key_value(cell: Cell) -> str | int:
    assert cell is not None, "key columns are never NULL"
    return cell


@lru_cache(maxsize=_TOGETHER)
def _among(table: str, count: int) -> str:
    """The condition for records with so many keys."""
    return " or ".join([_WHERE[table]] * count)


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
    changes: _Changes = {}
    events: list[Record] = []
    for write in writes:
        match write:
            case AddEvent(event):
                events.append(event_record(event, who))
            case ForgetJob(job):
                _apply_all(db, changes)
                with resealed(db, _of_job(job)):
                    # Foreign keys delete its attempts and intents.
                    db.execute("DELETE FROM jobs WHERE name = ?", [job])
            case RenameJob(job, to):
                _apply_all(db, changes)
                _add_all(db, events)
                _rename(db, job, to)
            case SaveAttempt(attempt):
                # Of several values of one record only the last one is ever visible.
                changes[attempt.key] = attempt
            case _:
                change = _change(write)
                changes[(change.table, *change.key)] = change
    _apply_all(db, changes)
    _add_all(db, events)


def _apply_all(db: Database, waiting: _Changes) -> None:
    """Apply changes of separate records, which share one update of the seal, and empty the collection.

    Those that one statement makes are made together, table by table: most commits serve many jobs.
    """
    if not waiting:
        return
    is_open = set(db.execute("SELECT job, attempt, shard FROM intents")).__contains__
    changes = [
        change
        for value in waiting.values()
        for change in ((value,) if isinstance(value, _Change) else _of_attempt(value, is_open))
    ]
    tables = {table: [change for change in changes if change.table == table] for table in KEYS}
    with resealed(db, [scope for table, mine in tables.items() for scope in _scopes(table, mine)]):
        for statement, values in _statements(tables.values()).items():
            db.execute_each(statement, values)
    waiting.clear()


def _scopes(table: str, changes: Sequence[_Change]) -> Iterator[Scope]:
    """The records of these changes."""
    for part in [changes[at : at + _TOGETHER] for at in range(0, len(changes), _TOGETHER)]:
        where = _among(table, len(part))
        yield Scope(table, where, [cell for change in part for cell in change.key])


def _statements(tables: Iterable[Sequence[_Change]]) -> Mapping[str, list[tuple[Cell, ...]]]:
    """The statements that make the changes, each with the values of every change.

    Their order is that of `KEYS`, a job before its attempts and these before their intents: foreign keys refer to them.
    """
    found: dict[str, list[tuple[Cell, ...]]] = {}
    for change in chain.from_iterable(tables):
        found.setdefault(change.statement, []).append(change.values)
    return found


def _of_attempt(attempt: RecordedAttempt, is_open: Callable[[tuple[str, int, int]], bool]) -> Iterator[_Change]:
    """The changes of an attempt. `is_open`: whether an intent of these key columns is recorded."""
    yield _put_in("attempts", attempt_record(attempt))
    key, intent = attempt.key, attempt.intent
    if intent is not None:
        yield _put_in("intents", intent_record(key, intent))
    elif is_open((key.job, key.attempt, key.shard)):
        yield _drop_from("intents", key_record(key))


def _change(write: _OneThing) -> _Change:
    match write:
        case DropFile(file):
            return _drop_from("files", file_record(file))
        case DropNotice(notice):
            return _drop_from("outbox", notice_record(notice))
        case DropGhost(ghost):
            return _drop_from("ghosts", ghost_record(ghost))
        case DropPast(past):
            return _drop_from("history", past_record(past))
        case _:
            return _put_in(*_saved(write))


def _saved(write: _Saved) -> tuple[str, Record]:
    match write:
        case SaveJob(job):
            return "jobs", job_record(job)
        case SaveIdentity(account, identity):
            return "accounts", {"account": text_cell(str(account)), "identity": identity}
        case SaveQuota(quota):
            return "quotas", quota_record(quota)
        case SaveFile(file):
            return "files", file_record(file)
        case SaveNotice(notice):
            return "outbox", notice_record(notice)
        case SaveGhost(ghost):
            return "ghosts", ghost_record(ghost)
        case SavePast(past):
            return "history", past_record(past)
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


def _add_all(db: Database, events: list[Record]) -> None:
    """Add events in their order, and empty the collection."""
    if events:
        db.execute_each(_insert(tuple(events[0])), [tuple(event.values()) for event in events])
        events.clear()


@lru_cache(maxsize=1)
def _insert(columns: tuple[str, ...]) -> str:
    """The statement that adds an event."""
    return f"INSERT INTO events ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names


def explain_rows(db: Database, writes: Sequence[Write], time: datetime) -> Iterator[AddEvent]:
    """Events for rows of `jobs` that change and have no event in the same commit.

    Such a row has facts that are nowhere else: orders, releases, and settings of manifests that were removed.
    """
    explained = {write.event.job for write in writes if isinstance(write, AddEvent)}
    jobs = {write.job.name: write.job for write in writes if isinstance(write, SaveJob)}
    for name in sorted(jobs.keys() - explained):
        rows = db.execute("SELECT * FROM jobs WHERE name = ?", [name])
        for row in rows:
            record = job_record(jobs[name])
            before = {column[0]: cell for column, cell in zip(rows.description, row, strict=True)}
            changed = [column for column, cell in record.items() if cell != before[column]]
            if changed:
                yield AddEvent(Event(time, name, None, EventKind.RECORDED.words, f"changed: {', '.join(changed)}"))


def prune_events(db: Database) -> None:
    """Delete all but the newest `EVENTS_KEPT` events. Ids increase by one, so only the low end of the key is read."""
    db.execute("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", [EVENTS_KEPT])
