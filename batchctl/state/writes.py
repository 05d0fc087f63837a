"""The changes of the model's `Write` union, as changes of the tables.

Owns how each kind of write reaches its table. Called inside the one transaction of a commit.
"""

from __future__ import annotations

from typing import assert_never

from sqlite_utils import Database

from batchctl.model.recorded import AddEvent, ForgetJob, RecordedAttempt, SaveAttempt, SaveFile, SaveJob, Write
from batchctl.state.records import (
    attempt_record,
    event_record,
    file_record,
    intent_record,
    job_record,
)

EVENTS_KEPT = 10_000
"""Events older than the newest so many are dropped: months of history, and a file of a few megabytes at most."""

_ATTEMPT_KEY = ("job", "attempt", "shard")


def apply_write(db: Database, write: Write, who: str) -> None:
    """Make one change. `who` stands for whoever made an event that names nobody."""
    match write:
        case SaveJob(job):
            db.table("jobs").upsert(job_record(job), pk="name")
        case SaveAttempt(attempt):
            _save_attempt(db, attempt)
        case ForgetJob(job):
            # Attempts and intents go with it, by their foreign keys.
            db.table("jobs").delete_where("name = ?", [job])
        case SaveFile(file):
            db.table("files").upsert(file_record(file), pk=("account", "sha256"))
        case AddEvent(event):
            db.table("events").insert(event_record(event, who), pk="id")
        case _ as never:
            assert_never(never)


def prune_events(db: Database) -> None:
    """Drop what is older than the newest `EVENTS_KEPT`. Ids grow by one, so this is a walk of the key's low end."""
    db.table("events").delete_where("id <= (select max(id) from events) - ?", [EVENTS_KEPT])


def _save_attempt(db: Database, attempt: RecordedAttempt) -> None:
    db.table("attempts").upsert(attempt_record(attempt), pk=_ATTEMPT_KEY)
    if attempt.intent is None:
        key = attempt.key
        db.table("intents").delete_where("job = ? and attempt = ? and shard = ?", [key.job, key.attempt, key.shard])
    else:
        db.table("intents").upsert(intent_record(attempt.key, attempt.intent), pk=_ATTEMPT_KEY)
