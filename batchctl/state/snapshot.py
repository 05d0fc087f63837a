"""Reads the tables into recorded values. Never writes.

Checks first that the file is a state, in a known format, of this stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import StateError
from batchctl.model.events import Event
from batchctl.model.recorded import Recorded, RecordedJob, StateVersion
from batchctl.state.cells import Stored, read_account, read_number, read_text
from batchctl.state.database import Database
from batchctl.state.formats import TABLES
from batchctl.state.job_records import read_attempt, read_intent, read_job, read_key
from batchctl.state.migrations import Identity
from batchctl.state.reading import Reading, naming, select
from batchctl.state.records import read_event, read_file, read_ghost, read_notice, read_past, read_quota
from batchctl.state.seal import is_intact
from batchctl.state.sqlite_errors import corrupt
from batchctl.state.usual_records import UsualRecords

_SEAL: Stored = {"record": "seal"}


def format_version(db: Database, path: Path, identity: Identity, newest: int) -> int:
    """The file's format, after checking that it is a state of this stack that this batchctl can read.

    Raises StateError: `StateCorrupt`, `StateTooNew`, `StateForeign`.
    """
    tables = set(db.table_names())
    if not tables:
        raise corrupt(path, "it is empty")
    if "meta" not in tables:
        raise corrupt(path, "it is a SQLite file, but not a state of batchctl")
    meta = next(select(db, "meta"), None)
    if meta is None:
        raise corrupt(path, "table meta has no record")
    with naming(path, "meta", meta):
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


def read_recorded(db: Database, path: Path, like: Iterable[DesiredJob] = ()) -> Recorded:
    """All records except events. Raises StateError (`StateCorrupt`), which names table and record.

    `like`: jobs with whose texts the records share memory where they are equal.
    """
    reading = Reading(db, path)
    jobs = _read_jobs(reading, path, {job.name: job for job in like})
    files = reading.records("files", read_file)
    seen = reading.records("accounts", lambda stored: (read_account(stored["account"]), read_text(stored["identity"])))
    quotas = reading.records("quotas", read_quota)
    outbox = reading.records("outbox", read_notice)
    ghosts = reading.records("ghosts", read_ghost)
    history = reading.records("history", read_past)
    with naming(path, "meta", _SEAL):
        _require_seal(path, is_intact=reading.is_intact)
    version = read_version(db, path)
    return Recorded(
        jobs,
        tuple(sorted(files, key=lambda file: (file.account, file.sha256))),
        version.serial,
        version.lineage,
        dict(seen),
        {quota.key: quota for quota in sorted(quotas, key=lambda quota: quota.key)},
        tuple(sorted(outbox, key=lambda notice: (notice.time, notice.id, notice.hook))),
        tuple(sorted(ghosts, key=lambda ghost: (ghost.time, ghost.account, ghost.remote))),
        tuple(sorted(history, key=lambda past: (past.end_time, past.account, past.remote))),
    )


def _read_jobs(reading: Reading, path: Path, like: Mapping[str, DesiredJob]) -> dict[str, RecordedJob]:
    """All jobs by name, in the order of their names, each with its attempts from the oldest on."""
    usual = UsualRecords(like)
    rows = {row.name: row for row in reading.records("jobs", read_job, usual.read_jobs)}
    intents = dict(reading.records("intents", lambda stored: (read_key(stored), read_intent(stored))))
    found = reading.records(
        "attempts",
        lambda stored: read_attempt(stored, intents.get(read_key(stored))),
        lambda columns, block: usual.read_attempts(columns, block, rows, intents),
    )
    attempts: dict[str, tuple[RecordedAttempt, ...]] = {}
    for attempt in found:
        name = attempt.key.job
        attempts[name] = (*attempts[name], attempt) if name in attempts else (attempt,)
    whole = {attempt.key for attempt in found if attempt.intent is not None}
    lost = [*(key for key in intents if key not in whole), *(name for name in attempts if name not in rows)]
    if lost:
        raise corrupt(path, f"an intent or an attempt of {lost[0]} belongs to a record that is missing")
    return {name: RecordedJob(rows[name], _oldest_first(attempts.get(name, ()))) for name in sorted(rows)}


def _oldest_first(attempts: tuple[RecordedAttempt, ...]) -> tuple[RecordedAttempt, ...]:
    return tuple(sorted(attempts, key=lambda attempt: attempt.key)) if attempts[1:] else attempts


def read_version(db: Database, path: Path) -> StateVersion:
    """The version of the snapshot. Raises StateError (`StateCorrupt`)."""
    meta = next(select(db, "meta"))
    with naming(path, "meta", meta):
        return StateVersion(read_text(meta["lineage"]), read_number(meta["serial"]))


def check_seal(db: Database, path: Path) -> None:
    """Raise StateError (`StateCorrupt`) if a record is not as batchctl wrote it."""
    with naming(path, "meta", _SEAL):
        _require_seal(path, is_intact=is_intact(db))


def _require_seal(path: Path, *, is_intact: bool) -> None:
    if not is_intact:
        raise corrupt(path, "its records do not match the checksum that batchctl wrote")


def read_events(db: Database, path: Path, job: str | None, limit: int) -> list[Event]:
    """The newest `limit` events, of one job or of all, oldest first. Raises StateError (`StateCorrupt`)."""
    where, values = ("WHERE job = ? ", (job,)) if job is not None else ("", ())
    newest: list[Event] = []
    for stored in select(db, f"events {where}ORDER BY id DESC LIMIT ?", (*values, limit)):
        with naming(path, "events", stored):
            newest.append(read_event(stored))
    return newest[::-1]
