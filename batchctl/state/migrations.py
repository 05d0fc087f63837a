"""The numbered steps from an empty file to today's tables.

Owns the schema. A released step is never edited: a change of the tables is a new step at the end. Each step runs in
one transaction with the record of its number, so a file is always at one version and never between two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from sqlite_utils import Database
from sqlite_utils.db import ForeignKey

Migration = Callable[[Database], None]

TABLES = ("meta", "jobs", "attempts", "intents", "files", "events")

_ATTEMPT_KEY = ("job", "attempt", "shard")


@dataclass(frozen=True)
class Identity:
    """Whose state it is."""

    stack: str
    uid: str


def create_tables(db: Database) -> None:
    """Version 1: the first tables. Columns that people look at first stand first."""
    _create_jobs(db)
    _create_attempts(db)
    db.table("intents").create(
        {"job": str, "attempt": int, "shard": int, "time": str, "first_look": str},
        pk=_ATTEMPT_KEY,
        not_null={*_ATTEMPT_KEY, "time"},
        foreign_keys=[
            ForeignKey(
                table="intents",
                column=None,
                other_table="attempts",
                other_column=None,
                columns=_ATTEMPT_KEY,
                other_columns=_ATTEMPT_KEY,
                is_compound=True,
                on_delete="CASCADE",
            )
        ],
        strict=True,
    )
    db.table("files").create(
        {"account": str, "sha256": str, "name": str, "expire_time": str},
        pk=("account", "sha256"),
        not_null={"account", "sha256", "name"},
        strict=True,
    )
    # Events have no foreign key: the history of a job outlives the job.
    db.table("events").create(
        {"id": int, "time": str, "job": str, "attempt": int, "who": str, "what": str, "why": str},
        pk="id",
        not_null={"time", "job", "who", "what", "why"},
        strict=True,
    )
    meta = {"id": int, "format_version": int, "lineage": str, "serial": int, "epoch": int, "stack": str, "uid": str}
    db.table("meta").create(meta, pk="id", not_null=set(meta), strict=True)


def _create_jobs(db: Database) -> None:
    columns = {
        "name": str,
        "kind": str,
        "provider": str,
        "model": str,
        "path": str,
        "account": str,
        "display_name": str,
        "current": int,
        "removing_time": str,
        "released_time": str,
        "cancel_requested": str,
        "lifecycle": str,
        "labels": str,
    }
    nullable = {"display_name", "removing_time", "released_time", "cancel_requested"}
    db.table("jobs").create(columns, pk="name", not_null=set(columns) - nullable, strict=True)


def _create_attempts(db: Database) -> None:
    columns = {
        "job": str,
        "attempt": int,
        "shard": int,
        "state": str,
        "remote": str,
        "account": str,
        "digest": str,
        "token": str,
        "create_time": str,
        "start_time": str,
        "end_time": str,
        "rows_total": int,
        "rows_ok": int,
        "rows_failed": int,
        "error_code": int,
        "error_message": str,
        "rejected": int,
        "results_lost": int,
        "adopted": int,
        "cancel_time": str,
        "cancel_cause": str,
        "delete_time": str,
        "gone_time": str,
        "results": str,
        "tree": str,
    }
    db.table("attempts").create(
        columns,
        pk=_ATTEMPT_KEY,
        not_null={*_ATTEMPT_KEY, "account", "digest", "token", "rejected", "results_lost", "adopted", "tree"},
        foreign_keys=[ForeignKey("attempts", "job", "jobs", "name", on_delete="CASCADE")],
        strict=True,
    )


MIGRATIONS: tuple[Migration, ...] = (create_tables,)
"""In order; a file's format version is how many of them it has been through."""


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """One IMMEDIATE transaction: all of it, or nothing, and no other writer between its reads and its writes."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def migrate(db: Database, version: int, migrations: Sequence[Migration], identity: Identity) -> None:
    """Bring a file from `version` (0: empty) to the newest."""
    for number, migration in enumerate(migrations[version:], start=version + 1):
        with transaction(db):
            migration(db)
            if number == 1:
                _insert_meta(db, identity)
            else:
                db.table("meta").update(1, {"format_version": number})


def _insert_meta(db: Database, identity: Identity) -> None:
    db.table("meta").insert(
        {
            "id": 1,
            "format_version": 1,
            "lineage": str(uuid4()),
            "serial": 0,
            "epoch": 0,
            "stack": identity.stack,
            "uid": identity.uid,
        }
    )
