"""Applies the model's `Write` values to the tables, inside the transaction of a commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never

from sqlite_utils import Database

from batchctl.model.events import Event, EventKind
from batchctl.model.notices import Notice
from batchctl.model.recorded import (
    AddEvent,
    DropFile,
    DropGhost,
    DropNotice,
    ForgetJob,
    Ghost,
    RecordedAttempt,
    RecordedFile,
    RenameJob,
    SaveAttempt,
    SaveFile,
    SaveGhost,
    SaveIdentity,
    SaveJob,
    SaveNotice,
    SaveQuota,
    Write,
)
from batchctl.state.cells import Cell, text_cell
from batchctl.state.records import (
    Record,
    attempt_record,
    event_record,
    file_record,
    ghost_record,
    intent_record,
    job_record,
    notice_record,
    quota_record,
)
from batchctl.state.seal import Scope, resealed

EVENTS_KEPT = 10_000
"""The number of events that are kept: months of history in a few megabytes."""

_ATTEMPT_KEY = ("job", "attempt", "shard")
_ATTEMPT = "job = ? and attempt = ? and shard = ?"
_OneRecord: TypeAlias = SaveJob | SaveIdentity | SaveQuota | SaveFile | SaveNotice | SaveGhost
"""Writes of one record of one table."""


@dataclass(frozen=True)
class _Place:
    """One record with its table and its key columns."""

    table: str
    record: Record
    key: tuple[str, ...]

    @property
    def scope(self) -> Scope:
        where = " and ".join(f"{column} = ?" for column in self.key)
        return Scope(self.table, where, [_key_value(self.record[column]) for column in self.key])


def _key_value(cell: Cell) -> str | int:
    assert cell is not None, "key columns are never NULL"
    return cell


def _place(write: _OneRecord) -> _Place:
    match write:
        case SaveJob(job):
            return _Place("jobs", job_record(job), ("name",))
        case SaveIdentity(account, identity):
            return _Place("accounts", {"account": text_cell(str(account)), "identity": identity}, ("account",))
        case SaveQuota(quota):
            return _Place("quotas", quota_record(quota), ("account", "model"))
        case SaveFile(file):
            return _file_place(file)
        case SaveNotice(notice):
            return _notice_place(notice)
        case SaveGhost(ghost):
            return _ghost_place(ghost)
        case _ as never:
            assert_never(never)


def _notice_place(notice: Notice) -> _Place:
    return _Place("outbox", notice_record(notice), ("id", "hook"))


def _ghost_place(ghost: Ghost) -> _Place:
    return _Place("ghosts", ghost_record(ghost), ("account", "remote"))


def _file_place(file: RecordedFile) -> _Place:
    return _Place("files", file_record(file), ("account", "sha256"))


def apply_write(db: Database, write: Write, who: str) -> None:
    """Apply one change. `who` is used for an event that names no one."""
    with resealed(db, _scopes(write)):
        _apply(db, write, who)


def _scopes(write: Write) -> list[Scope]:
    """The sealed records that a change may affect."""
    match write:
        case SaveJob() | SaveIdentity() | SaveQuota() | SaveFile() | SaveNotice() | SaveGhost():
            return [_place(write).scope]
        case SaveAttempt(attempt):
            key = attempt.key
            return [Scope(table, _ATTEMPT, [key.job, key.attempt, key.shard]) for table in ("attempts", "intents")]
        case ForgetJob(job):
            return _of_job(job)
        case RenameJob(job, to):
            notices = (Scope("outbox", "job = ?", [name]) for name in (job, to))
            return [*_of_job(job), *_of_job(to), *notices]
        case DropNotice(notice):
            return [_notice_place(notice).scope]
        case DropGhost(ghost):
            return [_ghost_place(ghost).scope]
        case DropFile(file):
            return [_file_place(file).scope]
        case AddEvent():
            return []
        case _ as never:
            assert_never(never)


def _of_job(job: str) -> list[Scope]:
    return [Scope("jobs", "name = ?", [job]), Scope("attempts", "job = ?", [job]), Scope("intents", "job = ?", [job])]


def _apply(db: Database, write: Write, who: str) -> None:
    match write:
        case SaveJob() | SaveIdentity() | SaveQuota() | SaveFile() | SaveNotice() | SaveGhost():
            place = _place(write)
            db.table(place.table).upsert(place.record, pk=place.key)
        case SaveAttempt(attempt):
            _save_attempt(db, attempt)
        case ForgetJob(job):
            # Foreign keys delete its attempts and intents.
            db.table("jobs").delete_where("name = ?", [job])
        case RenameJob(job, to):
            _rename(db, job, to)
        case DropNotice(notice):
            db.table("outbox").delete_where("id = ? and hook = ?", [notice.id, notice.hook])
        case DropGhost(ghost):
            record = ghost_record(ghost)
            db.table("ghosts").delete_where("account = ? and remote = ?", [record["account"], record["remote"]])
        case DropFile(file):
            stored = file_record(file)
            db.table("files").delete_where("account = ? and sha256 = ?", [stored["account"], stored["sha256"]])
        case AddEvent(event):
            db.table("events").insert(event_record(event, who), pk="id")
        case _ as never:
            assert_never(never)


def _rename(db: Database, job: str, to: str) -> None:
    # Foreign keys are inconsistent while the names change; the commit checks them.
    db.execute("PRAGMA defer_foreign_keys = ON")
    db.execute("UPDATE jobs SET name = ? WHERE name = ?", [to, job])
    for table in ("attempts", "intents", "events", "outbox"):
        db.execute(f"UPDATE {table} SET job = ? WHERE job = ?", [to, job])  # noqa: S608 - our own names


def explain_rows(db: Database, writes: Sequence[Write], time: datetime) -> Iterator[AddEvent]:
    """Events for rows of `jobs` that change and have no event in the same commit.

    Such a row has facts that are nowhere else: orders, releases, and settings of manifests that were removed.
    """
    explained = {write.event.job for write in writes if isinstance(write, AddEvent)}
    records = {write.job.name: job_record(write.job) for write in writes if isinstance(write, SaveJob)}
    for name in sorted(records.keys() - explained):
        for row in db.table("jobs").rows_where("name = ?", [name]):
            changed = [column for column, cell in records[name].items() if row[column] != cell]
            if changed:
                yield AddEvent(Event(time, name, None, EventKind.RECORDED.words, f"changed: {', '.join(changed)}"))


def prune_events(db: Database) -> None:
    """Delete all but the newest `EVENTS_KEPT` events. Ids increase by one, so only the low end of the key is read."""
    db.table("events").delete_where("id <= (select max(id) from events) - ?", [EVENTS_KEPT])


def _save_attempt(db: Database, attempt: RecordedAttempt) -> None:
    db.table("attempts").upsert(attempt_record(attempt), pk=_ATTEMPT_KEY)
    if attempt.intent is None:
        key = attempt.key
        db.table("intents").delete_where(_ATTEMPT, [key.job, key.attempt, key.shard])
    else:
        db.table("intents").upsert(intent_record(attempt.key, attempt.intent), pk=_ATTEMPT_KEY)
