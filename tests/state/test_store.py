"""Loading, committing, and the content of the file."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta, timezone
from pathlib import Path
from types import MappingProxyType

import pytest

from batchctl.model.attempts import CancelCause, Intent, RecordedAttempt
from batchctl.model.errors import StateError
from batchctl.model.events import Event
from batchctl.model.keys import AttemptKey
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import Lifecycle, OnChange
from batchctl.model.observed import RowCounts, Status
from batchctl.model.recorded import JobRow, Recorded, RecordedFile, RecordedJob, StateVersion
from batchctl.model.writes import AddEvent, ForgetJob, SaveAttempt, SaveFile, SaveJob
from batchctl.state.formats import MIGRATIONS
from batchctl.state.job_records import attempt_record, job_record
from batchctl.state.store import FileState, open_state
from tests.support.state_samples import ACCOUNT, DIGEST, NOW, HandClock, attempt, job
from tests.support.values import field_names, replace


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    conn = sqlite3.connect(path)
    try:
        return conn.execute(sql).fetchall()
    finally:
        conn.close()


def test_without_a_file_the_state_is_empty_and_nothing_is_created(store: FileState, path: Path) -> None:
    assert store.load() == Recorded()
    assert store.events(None, 10) == []
    assert not path.parent.exists()


def test_a_commit_is_seen_by_everyone(store: FileState) -> None:
    first = attempt(remote="batches/1", state="JOB_STATE_RUNNING", rows=RowCounts(3, None, 0))
    second = attempt(number=2, intent=Intent(NOW))
    with store.lock() as session:
        session.commit([SaveJob(job(current=2)), SaveAttempt(second), SaveAttempt(first)])
        assert session.load() == store.load()
    recorded = store.load()
    assert recorded.jobs == {"translate": RecordedJob(job(current=2), (first, second))}
    assert recorded.serial == 1


def test_each_commit_makes_another_version(store: FileState) -> None:
    assert store.version() == Recorded().version == StateVersion()
    seen = []
    for name in ("a", "b"):
        with store.lock() as session:
            session.commit([SaveJob(job(name))])
        seen.append(store.version())
        assert store.version() == store.load().version
    assert seen[0].lineage == seen[1].lineage != ""
    assert [one.serial for one in seen] == [1, 2]


def test_attempts_come_oldest_first_by_number(store: FileState) -> None:
    made = [attempt(number=10), attempt(number=9, shard=1), attempt(number=9)]
    with store.lock() as session:
        session.commit([SaveJob(job()), *map(SaveAttempt, made)])
    assert store.load().jobs["translate"].attempts == (made[2], made[1], made[0])


def test_saving_a_job_again_leaves_its_attempts(store: FileState) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job()), SaveAttempt(attempt(intent=Intent(NOW)))])
        session.commit([SaveJob(job(provider="us"))])
    assert store.load().jobs["translate"] == RecordedJob(job(provider="us"), (attempt(intent=Intent(NOW)),))


def test_an_intent_stays_open_until_its_attempt_is_saved_without(store: FileState, path: Path) -> None:
    looked = Intent(NOW, first_look=NOW + timedelta(seconds=5))
    with store.lock() as session:
        session.commit([SaveJob(job()), SaveAttempt(attempt(intent=Intent(NOW)))])
        session.commit([SaveAttempt(attempt(intent=looked))])
        assert session.load().jobs["translate"].attempts[0].intent == looked
        session.commit([SaveAttempt(attempt(remote="batches/1"))])
    assert store.load().jobs["translate"].attempts == (attempt(remote="batches/1"),)
    assert rows(path, "select * from intents") == []


def test_forgetting_a_job_takes_attempts_and_intents_but_not_events(store: FileState, path: Path) -> None:
    event = Event(NOW, "translate", 1, "create", "new", "ada")
    with store.lock() as session:
        session.commit([SaveJob(job()), SaveAttempt(attempt(intent=Intent(NOW))), SaveJob(job("other"))])
        session.commit([AddEvent(event), ForgetJob("translate")])
    assert set(store.load().jobs) == {"other"}
    assert rows(path, "select count(*) from attempts union all select count(*) from intents") == [(0,), (0,)]
    assert store.events("translate", 10) == [event]


def test_files_are_kept_by_account_and_content(store: FileState) -> None:
    one = RecordedFile(ACCOUNT, "aa", "files/1", NOW)
    other = RecordedFile(ACCOUNT, "bb", "files/2", None)
    again = RecordedFile(ACCOUNT, "aa", "files/3", None)
    with store.lock() as session:
        session.commit([SaveFile(one), SaveFile(other)])
        session.commit([SaveFile(again)])
    assert store.load().files == (again, other)


def test_a_failing_write_undoes_the_whole_commit(store: FileState) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job())])
        with pytest.raises(StateError, match="FOREIGN KEY") as caught:
            session.commit([SaveJob(job("second")), SaveAttempt(attempt("nobody"))])
        assert caught.value.code == "StateFailed"
        assert session.load() == store.load()
        session.commit([SaveJob(job("third"))])
    recorded = store.load()
    assert set(recorded.jobs) == {"translate", "third"}
    assert recorded.serial == 2


def test_each_commit_counts_and_the_lineage_stays(store: FileState, tmp_path: Path, clock: HandClock) -> None:
    with store.lock() as session:
        lineage = session.load().lineage
        for _ in range(3):
            session.commit([SaveJob(job())])
    with store.lock() as session:
        assert (session.load().serial, session.load().lineage) == (3, lineage)
    other = open_state(tmp_path / "other.db", stack="demo", uid="abc123", clock=clock, who="ada")
    with other.lock() as session:
        assert session.load().lineage != lineage


@pytest.mark.parametrize(("stack", "uid"), [("other", "abc123"), ("demo", "zzzzzz")])
def test_another_stacks_file_is_refused(store: FileState, path: Path, clock: HandClock, stack: str, uid: str) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job())])
    foreign = open_state(path, stack=stack, uid=uid, clock=clock, who="ada")
    for use in (foreign.load, foreign.lock):
        with pytest.raises(StateError, match="belongs to stack 'demo' with uid 'abc123'") as caught:
            use()
        assert (caught.value.code, bool(caught.value.hint)) == ("StateForeign", True)
    with store.lock():
        pass


def test_files_and_folder_are_private(store: FileState, path: Path) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job())])
        modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}
    names = ["state.db", "state.db-shm", "state.db-wal", "state.db.lock"]
    assert modes == dict.fromkeys(names, 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    with store.lock():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_is_durable_and_readable_by_people(store: FileState, path: Path) -> None:
    with store.lock() as session:
        pragmas = {
            name: session._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "foreign_keys")
        }
        assert pragmas == {"synchronous": 2, "foreign_keys": 1}
        lifecycle = Lifecycle(active_deadline=timedelta(hours=2), on_change=OnChange.KEEP)
        session.commit(
            [
                SaveJob(job(labels={"team": "søk"}, lifecycle=lifecycle)),
                SaveAttempt(attempt(create_time=NOW.astimezone(timezone(timedelta(hours=2))), tree={"model": "m"})),
            ]
        )
    assert rows(path, "pragma journal_mode") == [("wal",)]
    assert rows(path, "select create_time, tree from attempts") == [("2026-11-22T10:00:00Z", '{"model": "m"}')]
    labels, stored = rows(path, "select labels, lifecycle from jobs")[0]
    assert labels == '{"team": "søk"}'
    assert json.loads(str(stored))["activeDeadlineSeconds"] == 7200
    assert rows(path, "select stack, uid, serial, epoch, format_version from meta") == [
        ("demo", "abc123", 1, 1, len(MIGRATIONS))
    ]
    assert not path.with_name("state.db-wal").exists()


def test_lone_surrogates_from_outside_are_stored_as_question_marks(store: FileState) -> None:
    broken = attempt(error=Status(13, "bad \ud800 text"), tree={"a": "\ud800"})
    with store.lock() as session:
        session.commit([SaveJob(job()), SaveAttempt(broken)])
    stored = store.load().jobs["translate"].attempts[0]
    assert stored.error == Status(13, "bad ? text")
    assert stored.tree == {"a": "?"}


def test_a_time_without_a_zone_is_never_stored(store: FileState) -> None:
    with store.lock() as session, pytest.raises(ValueError, match="without a time zone"):
        session.commit([SaveJob(job(removing_time=NOW.replace(tzinfo=None)))])
    assert store.load().jobs == {}


def test_frozen_mappings_are_stored_as_objects(store: FileState) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job()), SaveAttempt(attempt(tree={"a": MappingProxyType({"b": (1, 2)})}))])
    assert store.load().jobs["translate"].attempts[0].tree == {"a": {"b": [1, 2]}}


def test_another_owners_file_keeps_its_mode(store: FileState, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.lock():
        pass
    path.chmod(0o660)
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    with store.lock():
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_only_json_goes_into_a_json_column(store: FileState) -> None:
    with store.lock() as session, pytest.raises(TypeError, match="not JSON: set"):
        session.commit([SaveJob(job()), SaveAttempt(attempt(tree={"a": {1}}))])
    assert store.load().jobs == {}


def test_events_come_newest_last_and_have_an_author(store: FileState) -> None:
    events = [Event(NOW, f"job-{number % 2}", None, "create", f"reason {number}") for number in range(6)]
    with store.lock() as session:
        session.commit([AddEvent(event) for event in events])
        session.commit([AddEvent(replace(events[0], who="robot", attempt=7))])
    assert [event.why for event in store.events(None, 3)] == ["reason 4", "reason 5", "reason 0"]
    assert [event.why for event in store.events("job-1", 2)] == ["reason 3", "reason 5"]
    assert [(event.who, event.attempt) for event in store.events(None, 2)] == [("ada@host", None), ("robot", 7)]


def test_only_the_newest_events_are_kept(store: FileState, path: Path) -> None:
    with store.lock():
        pass
    conn = sqlite3.connect(path)
    with conn:
        line = ("2026-11-22T10:00:00Z", "a", "ada", "create", "old")
        conn.executemany("insert into events (time, job, who, what, why) values (?, ?, ?, ?, ?)", [line] * 10_003)
    conn.close()
    with store.lock() as session:
        session.commit([SaveJob(job())])
        assert len(store.events(None, 20_000)) == 10_003
        session.commit([AddEvent(Event(NOW, "a", 1, "create", "new"))])
    kept = store.events(None, 20_000)
    assert (len(kept), kept[-1].why) == (10_000, "new")


KILLED = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from types import MappingProxyType
sys.path.insert(0, {tests!r})
from tests.support.state_samples import HandClock, attempt, job
from batchctl.model.writes import SaveAttempt, SaveJob
from batchctl.state.store import open_state

class Fatal(list):
    def __iter__(self):
        yield SaveJob(job("second"))
        yield SaveAttempt(attempt("second"))
        os._exit(9)

store = open_state(Path({path!r}), stack="demo", uid="abc123", clock=HandClock(), who="ada")
session = store.lock()
session.commit([SaveJob(job("first"))])
session.commit(Fatal())
"""


def test_a_process_killed_in_a_commit_leaves_the_state_before_it(store: FileState, path: Path) -> None:
    program = KILLED.format(tests=str(Path(__file__).parents[2]), path=str(path))
    died = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert (died.returncode, died.stderr) == (9, b"")
    assert set(store.load().jobs) == {"first"}
    with store.lock() as session:
        session.commit([SaveJob(job("third"))])
    assert set(store.load().jobs) == {"first", "third"}


def test_every_field_of_the_values_has_its_column() -> None:
    whole = RecordedAttempt(AttemptKey("a", 1), ACCOUNT, DIGEST, "t", error=Status(1, "m"), rows=RowCounts(1, 1, 0))
    columns = {
        JobRow: {*job_record(JobRow("a", Kind.BATCH_JOB, "p", "m", "f", ACCOUNT))},
        RecordedAttempt: {*attempt_record(whole), "key", "intent", "rows", "error"}
        - {
            "job",
            "attempt",
            "shard",
            "rows_total",
            "rows_ok",
            "rows_failed",
            "rows_verdicts",
            "rows_accepted",
            "rows_too_many_failed",
            "error_code",
            "error_message",
            "missed_there",
        },
    }
    for kind, names in columns.items():
        assert set(field_names(kind)) == names
    lifecycle = json.loads(str(job_record(job())["lifecycle"]))
    assert len(lifecycle) == len(field_names(Lifecycle))


def test_a_cancel_keeps_its_cause(store: FileState) -> None:
    made = [attempt(number=n, cancel_time=NOW, cancel_cause=cause) for n, cause in enumerate(CancelCause, start=1)]
    with store.lock() as session:
        session.commit([SaveJob(job()), *map(SaveAttempt, made)])
    assert store.load().jobs["translate"].attempts == tuple(made)


def test_the_state_is_found_under_an_awkward_name(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "a b?c#d%20é" / "state.db"
    store = open_state(path, stack="demo", uid="abc123", clock=clock, who="ada")
    with store.lock() as session:
        session.commit([SaveJob(job())])
    assert set(store.load().jobs) == {"translate"}
