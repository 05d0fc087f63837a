"""Formats: newer ones are refused, older ones are migrated once, after a backup."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from batchctl.model.attempts import Intent
from batchctl.model.errors import StateError
from batchctl.model.observed import Moment
from batchctl.model.recorded import RecordedJob
from batchctl.model.writes import SaveAttempt, SaveIdentity, SaveJob
from batchctl.state import connection
from batchctl.state.cells import Record
from batchctl.state.database import Database
from batchctl.state.formats import MIGRATIONS, TABLES, Migration
from batchctl.state.job_records import attempt_record, intent_record, job_record
from batchctl.state.migrations import TABLES_FILE, Identity, build
from batchctl.state.seal import reseal
from batchctl.state.store import FileState
from tests.support.state_samples import ACCOUNT, NOW, HandClock, attempt, job


def add_cost(db: Database) -> None:
    """A second format, like one of a later release."""
    db.table("jobs").add_column("cost", int)
    db.execute("update jobs set cost = 7, provider = 'migrated'")


def fail_late(db: Database) -> None:
    db.table("jobs").add_column("half", int)
    raise sqlite3.OperationalError("broken step")


def store_of(path: Path, *more: Migration) -> FileState:
    return FileState(path, Identity("demo", "abc123"), HandClock(), "ada", 0, migrations=(*MIGRATIONS, *more))


TODAY = len(MIGRATIONS)
BACKUP = f"state.db.backup-v{TODAY}"


@pytest.fixture
def old(path: Path) -> Path:
    """A file in the newest format with one job, which is old for a release with another format."""
    with store_of(path).lock() as session:
        session.commit([SaveJob(job()), SaveAttempt(attempt())])
    return path


def formats(path: Path) -> tuple[int, list[str]]:
    conn = sqlite3.connect(path)
    version = conn.execute("select format_version from meta").fetchone()[0]
    columns = [row[1] for row in conn.execute("pragma table_info(jobs)")]
    conn.close()
    return version, columns


def empty(migrations: Sequence[Migration]) -> Database:
    """A database in memory that has had these migrations."""
    db = Database(sqlite3.connect(":memory:", isolation_level=None))
    build(db, migrations, Identity("demo", "abc123"))
    return db


def test_a_new_file_has_what_the_migrations_make(golden_file: Callable[[Path, str], None]) -> None:
    steps = [lambda db, step=step: step(db) for step in MIGRATIONS]  # others than those that a new file is known for
    by_steps = empty(steps)
    made = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    golden_file(TABLES_FILE, "".join(f"{statement};\n" for (statement,) in by_steps.execute(made)))
    at_once = empty(MIGRATIONS)
    everything = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
    assert at_once.execute(everything).fetchall() == by_steps.execute(everything).fetchall()
    meta = [db.execute("SELECT * FROM meta").fetchone() for db in (by_steps, at_once)]
    assert [row[:2] + row[3:] for row in meta] == [(1, TODAY, 0, 0, "demo", "abc123", f"{0:032}")] * 2
    tables = {name for (name,) in at_once.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    filled = [name for name in tables if at_once.execute(f"SELECT count(*) FROM {name}").fetchone()[0]]
    assert filled == ["meta"]


def test_the_newest_format_has_the_tables_of_the_design(old: Path) -> None:
    conn = sqlite3.connect(old)
    tables = {row[0] for row in conn.execute("select name from sqlite_master where type = 'table'")}
    keys = {
        table: {(row[2], row[3], row[6]) for row in conn.execute(f"pragma foreign_key_list({table})")}
        for table in TABLES
    }
    conn.close()
    assert tables == set(TABLES)
    assert keys["attempts"] == {("jobs", "job", "CASCADE")}
    assert keys["intents"] == {("attempts", column, "CASCADE") for column in ("job", "attempt", "shard")}


def test_a_migration_keeps_a_backup_and_all_jobs(old: Path) -> None:
    before = store_of(old).load()
    with store_of(old, add_cost).lock() as session:
        assert set(session.load().jobs) == {"translate"}
    assert formats(old)[0] == TODAY + 1
    assert "cost" in formats(old)[1]
    backup = old.with_name(BACKUP)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert store_of(backup).load() == before
    with store_of(old, add_cost).lock() as session:
        recorded = session.load()
    assert (recorded.lineage, recorded.serial) == (before.lineage, before.serial)
    assert recorded.jobs["translate"].row.provider == "migrated"


def test_a_migration_runs_once(old: Path) -> None:
    for _ in range(2):
        with store_of(old, add_cost).lock():
            pass
    assert formats(old)[0] == TODAY + 1


def test_an_old_format_is_read_without_touching_it(old: Path) -> None:
    content = old.read_bytes()
    assert store_of(old, add_cost).load().jobs["translate"].row.provider == "migrated"
    assert store_of(old, add_cost).events(None, 5) == []
    assert (old.read_bytes(), formats(old)[0]) == (content, TODAY)
    assert not old.with_name(BACKUP).exists()


def test_a_failing_migration_leaves_the_old_format(old: Path) -> None:
    with pytest.raises(StateError, match="broken step"):
        store_of(old, add_cost, fail_late).lock()
    assert formats(old)[0] == TODAY + 1
    with pytest.raises(StateError, match="broken step"):
        store_of(old, add_cost, fail_late).load()
    assert store_of(old, add_cost).load().jobs["translate"].row.provider == "migrated"
    assert old.with_name(BACKUP).exists()


def test_a_step_and_its_number_are_one_transaction(old: Path) -> None:
    with pytest.raises(StateError):
        store_of(old, fail_late).lock()
    version, columns = formats(old)
    assert version == TODAY
    assert "half" not in columns
    with store_of(old).lock() as session:
        session.commit([SaveJob(job("second"))])


def test_no_backup_no_migration(old: Path) -> None:
    old.with_name(BACKUP).mkdir()
    with pytest.raises(StateError):
        store_of(old, add_cost).lock()
    assert formats(old)[0] == TODAY


def test_a_newer_format_is_refused(old: Path) -> None:
    with store_of(old, add_cost).lock():
        pass
    for use in (store_of(old).load, store_of(old).lock):
        with pytest.raises(
            StateError, match=f"has format {TODAY + 1}; this batchctl knows formats up to {TODAY}"
        ) as caught:
            use()
        assert (caught.value.code, caught.value.hint) == ("StateTooNew", "upgrade batchctl")
    assert formats(old)[0] == TODAY + 1


def test_a_new_file_goes_through_all_formats_at_once(path: Path) -> None:
    with store_of(path, add_cost).lock() as session:
        session.commit([SaveJob(job())])
    assert formats(path)[0] == TODAY + 1
    assert not path.with_name(BACKUP).exists()


def test_a_new_file_gets_its_format_in_one_transaction(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before: list[str] = []
    """What was committed before the file got its name."""
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda sql: before.append(sql) if sql == "COMMIT" and not path.exists() else None)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    with store_of(path).lock():
        assert before == ["COMMIT"]


def test_a_first_run_that_fails_leaves_no_file(path: Path) -> None:
    with pytest.raises(StateError, match="broken step"):
        store_of(path, fail_late).lock()
    assert not path.exists()
    with store_of(path).lock() as session:
        assert session.load().jobs == {}


def test_a_connection_that_cannot_be_set_up_is_closed(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    close = Database.close
    monkeypatch.setattr(Database, "close", lambda db: (closed.append(db), close(db)))
    old.write_bytes(b"no database " * 500)
    with pytest.raises(sqlite3.DatabaseError):
        connection.connect_writer(old)
    assert len(closed) == 1


def old_job() -> Record:
    """A job's record of a format without all settings."""
    record = job_record(job())
    for column in ("priority", "webhook", "row_settings", "rows_since", "canary_accepted", "retry_rows"):
        del record[column]
    return record


def old_attempt(**fields: object) -> Record:
    """An attempt's record of a format without tokens, misses and troubles."""
    record = attempt_record(attempt(**fields))
    later = ("input_bytes", "tokens", "missed", "missed_there", "row_hashes", "trouble", "input_file")
    for column in (
        *later,
        "sent",
        "merged",
        "counted",
        "expected",
        "rows_verdicts",
        "rows_accepted",
        "rows_too_many_failed",
    ):
        del record[column]
    return record


def first_format(path: Path) -> None:
    """A file of the first release with one job and its attempt."""
    path.parent.mkdir(exist_ok=True)
    connection.create_file(path, MIGRATIONS[:1], Identity("demo", "abc123"))
    with closing(connection.connect_writer(path)) as db:
        record = old_job()
        del record["former_names"], record["depends_on"], record["retry_requested"]
        db.table("jobs").insert(record)
        db.table("attempts").insert(old_attempt(remote="batches/1"))
        db.execute("update meta set serial = 7")


def test_a_file_of_the_first_release_is_migrated_after_a_backup(path: Path) -> None:
    first_format(path)
    expected = RecordedJob(job(), (attempt(remote="batches/1"),))
    assert store_of(path).load().jobs == {"translate": expected}
    assert formats(path)[0] == 1
    with store_of(path).lock() as session:
        session.commit([SaveIdentity(ACCOUNT, "00c0ffee")])
    assert formats(path)[0] == TODAY
    recorded = store_of(path).load()
    assert (recorded.jobs, recorded.identities) == ({"translate": expected}, {ACCOUNT: "00c0ffee"})
    backup = path.with_name("state.db.backup-v1")
    assert formats(backup)[0] == 1
    assert store_of(backup).load().jobs == {"translate": expected}


def test_an_open_intent_of_a_file_with_one_clock_and_no_tokens_is_migrated(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    looked = Intent(NOW, first_look=NOW)
    connection.create_file(path, MIGRATIONS[:6], Identity("demo", "abc123"))
    with closing(connection.connect_writer(path)) as db:
        db.table("jobs").insert(old_job())
        db.table("attempts").insert(old_attempt())
        record = intent_record(attempt().key, looked)
        del record["first_look_there"]
        db.table("intents").insert(record)
        reseal(db)
    assert store_of(path).load().jobs["translate"].attempts == (attempt(intent=looked),)
    known = attempt(intent=Intent(NOW, NOW, NOW), input_bytes=400, tokens=90, missed=Moment(NOW, NOW))
    with store_of(path).lock() as session:
        session.commit([SaveAttempt(known)])
    assert store_of(path).load().jobs["translate"].attempts == (known,)


def test_a_migration_does_not_seal_damage(old: Path) -> None:
    conn = sqlite3.connect(old, isolation_level=None)
    conn.execute("update attempts set remote = 'batches/elsewhere'")
    conn.close()
    for use in (store_of(old, add_cost).load, store_of(old, add_cost).lock):
        with pytest.raises(StateError, match="do not match the checksum"):
            use()
    assert formats(old)[0] == TODAY
    assert not old.with_name(BACKUP).exists()
