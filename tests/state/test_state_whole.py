"""A state as a whole: renamed in, copied, replaced, made anew."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from state_samples import ACCOUNT, NOW, HandClock, attempt, job

from batchctl.model.errors import GuardError, LockedError, StateError
from batchctl.model.recorded import (
    AddEvent,
    Event,
    Intent,
    Recorded,
    RecordedFile,
    RenameJob,
    SaveAttempt,
    SaveFile,
    SaveIdentity,
    SaveJob,
)
from batchctl.state.store import FileState, open_state

WRITES = (
    SaveJob(job("a")),
    SaveAttempt(attempt("a", intent=Intent(NOW))),
    SaveAttempt(attempt("a", 2, remote="batches/2")),
    SaveJob(job("b", former_names=("c",))),
    AddEvent(Event(NOW, "a", 1, "create", "new")),
    SaveFile(RecordedFile(ACCOUNT, "aa", "files/1", None)),
    SaveIdentity(ACCOUNT, "00c0ffee"),
)


@pytest.fixture
def filled(store: FileState) -> FileState:
    with store.lock() as session:
        session.commit(WRITES)
    return store


def beside(path: Path, name: str = "other.db") -> FileState:
    return open_state(path.with_name(name), stack="demo", uid="abc123", clock=HandClock(), who="bob")


def edit(path: Path, sql: str) -> None:
    conn = sqlite3.connect(path)
    conn.executescript(sql)
    conn.close()


def test_a_rename_takes_attempts_intents_and_events_along(filled: FileState) -> None:
    with filled.lock() as session:
        session.commit([RenameJob("a", "z")])
        jobs = session.load().jobs
    assert jobs.keys() == {"b", "z"}
    first, second = jobs["z"].attempts
    assert (first.key.job, first.intent, second.remote) == ("z", Intent(NOW), "batches/2")
    assert [event.what for event in filled.events("z", 9)] == ["create"]
    assert filled.events("a", 9) == []


def test_a_rename_to_a_recorded_name_changes_nothing(filled: FileState) -> None:
    before = filled.load()
    with filled.lock() as session, pytest.raises(StateError):
        session.commit([RenameJob("a", "b")])
    assert filled.load() == before


def test_a_copy_is_a_state_of_its_own(filled: FileState, path: Path) -> None:
    copy = path.with_name("copy.db")
    filled.copy_to(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert beside(path, "copy.db").load() == filled.load()


def test_there_is_nothing_to_copy(store: FileState, path: Path) -> None:
    with pytest.raises(StateError, match="there is no state"):
        store.copy_to(path.with_name("copy.db"))


def test_a_copy_that_cannot_be_written_names_its_own_place(filled: FileState, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="nowhere"):
        filled.copy_to(tmp_path / "nowhere" / "copy.db")


def test_the_whole_content_is_replaced_in_one_commit(filled: FileState, path: Path) -> None:
    other = beside(path)
    with other.lock() as session:
        session.commit([SaveJob(job("other"))])
    content = filled.content()
    with other.lock() as session:
        backup = session.replace_content(content)
        session.commit([SaveJob(job("later"))])
    mine, theirs = filled.load(), other.load()
    assert theirs.jobs == {**mine.jobs, "later": job("later")}
    assert (theirs.lineage, theirs.files, theirs.identities) == (mine.lineage, mine.files, mine.identities)
    assert theirs.serial == mine.serial + 2
    assert other.events(None, 9) == filled.events(None, 9)
    assert open_state(backup, stack="demo", uid="abc123", clock=HandClock(), who="x").load().jobs.keys() == {"other"}


def test_a_session_that_lost_its_lock_replaces_nothing(filled: FileState, path: Path) -> None:
    content = filled.content()
    other = beside(path)
    with other.lock() as session:
        other.break_lock()
        with pytest.raises(StateError, match="another process took it"):
            session.replace_content(content)
    assert other.load().jobs == {}
    assert [found.name for found in path.parent.glob("other.db.backup*")] == []


@pytest.mark.parametrize(
    "sql",
    [
        "update events set time = 'noon'",
        "update accounts set account = 'nowhere'",
        "update jobs set former_names = '{}'",
        "update jobs set former_names = '[1]'",
        "update jobs set former_names = 'x'",
        "drop table accounts",
    ],
)
def test_the_whole_content_is_checked(filled: FileState, path: Path, sql: str) -> None:
    edit(path, sql)
    with pytest.raises(StateError) as caught:
        filled.content()
    assert caught.value.code == "StateCorrupt"


def test_content_of_no_file_is_empty(store: FileState) -> None:
    assert store.content().recorded == Recorded()


@pytest.mark.parametrize("damage", ["none", "sound", "junk", "log alone"])
def test_a_state_is_made_anew_whatever_lies_there(store: FileState, path: Path, damage: str) -> None:
    if damage == "sound":
        with store.lock() as session:
            session.commit([SaveJob(job("former"))])
    elif damage != "none":
        path.parent.mkdir()
        name = path if damage == "junk" else path.with_name("state.db-wal")
        name.write_bytes(b"junk")
    path.parent.mkdir(exist_ok=True)
    path.with_name("state.db.rebuilt").write_bytes(b"left over from a crash")
    aside = store.rewrite(WRITES, force=damage == "sound")
    assert (aside is None) is (damage == "none")
    recorded = store.load()
    assert (recorded.jobs.keys(), recorded.serial, recorded.identities) == ({"a", "b"}, 1, {ACCOUNT: "00c0ffee"})
    assert not path.with_name("state.db.rebuilt").exists()
    if damage == "junk" and aside is not None:
        assert aside.read_bytes() == b"junk"
    with store.lock() as session:
        session.commit([SaveJob(job("next"))])


def test_a_state_is_not_made_anew_under_a_process_that_works(filled: FileState, path: Path) -> None:
    with filled.lock() as session:
        with pytest.raises(LockedError):
            open_state(path, stack="demo", uid="abc123", clock=HandClock(), who="bob").rewrite([], force=True)
        session.commit([SaveJob(job("works"))])
    assert "works" in filled.load().jobs


def test_a_session_of_the_old_file_can_write_nothing_into_the_new(filled: FileState, path: Path) -> None:
    with filled.lock() as session:
        path.with_name("state.db.lock").unlink()
        filled.rewrite([], force=True)
        with pytest.raises(StateError, match="moved away or replaced"):
            session.commit([SaveJob(job("late"))])
    assert filled.load().jobs == {}


def test_a_state_that_another_process_made_meanwhile_is_not_put_aside(filled: FileState) -> None:
    before = filled.load()
    with pytest.raises(GuardError) as caught:
        filled.rewrite([])
    assert caught.value.code == "StateSound"
    assert filled.load() == before
    assert filled.holder() is None


def test_whether_a_state_is_lost_cannot_be_told_of_a_newer_one(filled: FileState, path: Path) -> None:
    edit(path, "update meta set format_version = 99")
    with pytest.raises(StateError) as caught:
        filled.rewrite([])
    assert caught.value.code == "StateTooNew"
