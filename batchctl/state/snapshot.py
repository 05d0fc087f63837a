"""Reads the tables into recorded values. Never writes.

Checks first that the file is a state, in a known format, of this stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from batchctl.model.attempts import Intent, RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import StateError
from batchctl.model.events import Event
from batchctl.model.keys import AttemptKey
from batchctl.model.recorded import Recorded, StateVersion
from batchctl.state.cells import NewerError, Stored, read_account, read_number, read_text
from batchctl.state.database import Database
from batchctl.state.formats import TABLES
from batchctl.state.job_records import read_attempt, read_intent, read_job, read_key
from batchctl.state.migrations import Identity
from batchctl.state.records import read_event, read_file, read_ghost, read_notice, read_past, read_quota
from batchctl.state.seal import is_intact
from batchctl.state.sqlite_errors import corrupt

T = TypeVar("T")


def format_version(db: Database, path: Path, identity: Identity, newest: int) -> int:
    """The file's format, after checking that it is a state of this stack that this batchctl can read.

    Raises StateError: `StateCorrupt`, `StateTooNew`, `StateForeign`.
    """
    tables = set(db.table_names())
    if not tables:
        raise corrupt(path, "it is empty")
    if "meta" not in tables:
        raise corrupt(path, "it is a SQLite file, but not a state of batchctl")
    meta = next(_select(db, "meta"), None)
    if meta is None:
        raise corrupt(path, "table meta has no record")
    with _reading(path, "meta", meta):
        version = read_number(meta["format_version"])
        stack, uid = read_text(meta["stack"]), read_text(meta["uid"])
    if version > newest:
        raise StateError(
            f"the state file {path} has format {version}; this batchctl knows formats up to {newest}",
            code=ErrorCode.STATE_TOO_NEW,
            hint="upgrade batchctl",
        )
    strange = db.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    if strange is not None:
        raise corrupt(path, f"it contains a trigger or view, {strange[0]!r}, which batchctl never creates")
    missing = [table for table, since in TABLES.items() if since <= version and table not in tables]
    if missing:
        raise corrupt(path, f"table {missing[0]} is missing")
    if (stack, uid) != (identity.stack, identity.uid):
        raise StateError(
            f"the state file {path} belongs to stack {stack!r} with uid {uid!r},"
            f" not to stack {identity.stack!r} with uid {identity.uid!r}",
            code=ErrorCode.STATE_FOREIGN,
            hint="name this stack's own state with --state, or set metadata.name and metadata.uid back",
        )
    return version


def read_recorded(db: Database, path: Path) -> Recorded:
    """All records except events. Raises StateError (`StateCorrupt`), which names table and record.

    Tables are read without their indexes, like for the seal: a damaged index shows other records, or none.
    """
    intents = dict(_read_all(db, path, "intents", lambda stored: (read_key(stored), read_intent(stored))))
    attempts = _read_attempts(db, path, intents)
    jobs = _read_all(db, path, "jobs", lambda stored: read_job(stored, attempts.pop(stored["name"], [])))
    if intents or attempts:
        lost = next(iter([*intents, *attempts]))
        raise corrupt(path, f"an intent or an attempt of {lost} belongs to a record that is missing")
    files = _read_all(db, path, "files", read_file)
    seen = _read_all(
        db,
        path,
        "accounts",
        lambda stored: (read_account(stored["account"]), read_text(stored["identity"])),
    )
    quotas = _read_all(db, path, "quotas", read_quota)
    outbox = _read_all(db, path, "outbox", read_notice)
    ghosts = _read_all(db, path, "ghosts", read_ghost)
    history = _read_all(db, path, "history", read_past)
    check_seal(db, path)
    version = read_version(db, path)
    return Recorded(
        {job.name: job for job in sorted(jobs, key=lambda job: job.name)},
        tuple(sorted(files, key=lambda file: (file.account, file.sha256))),
        version.serial,
        version.lineage,
        dict(seen),
        {quota.key: quota for quota in sorted(quotas, key=lambda quota: quota.key)},
        tuple(sorted(outbox, key=lambda notice: (notice.time, notice.id, notice.hook))),
        tuple(sorted(ghosts, key=lambda ghost: (ghost.time, ghost.account, ghost.remote))),
        tuple(sorted(history, key=lambda past: (past.end_time, past.account, past.remote))),
    )


def read_version(db: Database, path: Path) -> StateVersion:
    """The version of the snapshot. Raises StateError (`StateCorrupt`)."""
    meta = next(_select(db, "meta"))
    with _reading(path, "meta", meta):
        return StateVersion(read_text(meta["lineage"]), read_number(meta["serial"]))


def check_seal(db: Database, path: Path) -> None:
    """Raise StateError (`StateCorrupt`) if a record is not as batchctl wrote it."""
    with _reading(path, "meta", {"record": "seal"}):
        if not is_intact(db):
            raise corrupt(path, "its records do not match the checksum that batchctl wrote")


def read_events(db: Database, path: Path, job: str | None, limit: int) -> list[Event]:
    """The newest `limit` events, of one job or of all, oldest first. Raises StateError (`StateCorrupt`)."""
    where, values = ("job = ?", [job]) if job is not None else (None, [])
    newest = _read_all(db, path, "events", read_event, order="id desc", where=where, values=values, limit=limit)
    return newest[::-1]


def _read_attempts(db: Database, path: Path, intents: dict[AttemptKey, Intent]) -> dict[str, list[RecordedAttempt]]:
    """Attempts by job, oldest first. Their open intents are removed from `intents`."""
    found = _read_all(
        db,
        path,
        "attempts",
        lambda stored: read_attempt(stored, intents.pop(read_key(stored), None)),
    )
    by_job: dict[str, list[RecordedAttempt]] = {}
    for attempt in sorted(found, key=lambda attempt: attempt.key):
        by_job.setdefault(attempt.key.job, []).append(attempt)
    return by_job


def _read_all(
    db: Database,
    path: Path,
    table: str,
    read: Callable[[Stored], T],
    *,
    order: str | None = None,
    where: str | None = None,
    values: Sequence[str] = (),
    limit: int | None = None,
) -> list[T]:
    clauses = (("WHERE", where), ("ORDER BY", order), ("LIMIT", limit))
    words = [f"{word} {value}" for word, value in clauses if value is not None]
    found: list[T] = []
    stored: Stored = {}
    try:
        for stored in _select(db, " ".join([table, *words]), values):
            found.append(read(stored))
    except _UNREADABLE as error:
        raise _unreadable(error, path, table, stored) from error
    return found


def _select(db: Database, source: str, values: Sequence[str] = ()) -> Iterator[Stored]:
    """Records by the names of their columns.

    Without sqlite-utils, which also asks for all tables and views: every pass reads all tables twice.
    """
    cursor = db.conn.execute(f"SELECT * FROM {source}", values)  # noqa: S608 - our own names
    names = [column[0] for column in cursor.description]
    for cells in cursor:
        yield dict(zip(names, cells, strict=True))


_UNREADABLE = (KeyError, NewerError, ValueError, TypeError, RecursionError, OverflowError)
"""The exceptions of readers."""


def _unreadable(error: Exception, path: Path, table: str, stored: Stored) -> StateError:
    """The error for a record that cannot be read."""
    if isinstance(error, KeyError):
        return corrupt(path, f"table {table} lacks a value for {error.args[0]!r}")
    if isinstance(error, NewerError):
        message = (
            f"the state file {path} was written by a newer batchctl: table {table}, record {_name(stored)}: {error}"
        )
        return StateError(message, code=ErrorCode.STATE_TOO_NEW, hint="upgrade batchctl")
    return corrupt(path, f"table {table}, record {_name(stored)}: {error}")


@contextmanager
def _reading(path: Path, table: str, stored: Stored) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise _unreadable(error, path, table, stored) from error


def _name(stored: Stored) -> str:
    """The first columns of a record, which identify it."""
    return " ".join(str(stored[column]) for column in list(stored)[:3])
