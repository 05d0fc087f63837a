"""Operations on a complete state: renames, copies, replacement, rebuild."""

from __future__ import annotations

import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from batchctl.model.attempts import Intent
from batchctl.model.errors import GuardError, LockedError, StateError
from batchctl.model.events import Event
from batchctl.model.recorded import Recorded, RecordedFile, RecordedJob
from batchctl.model.writes import AddEvent, RenameJob, SaveAttempt, SaveFile, SaveIdentity, SaveJob, Write
from batchctl.state import store as store_module
from batchctl.state import writes
from batchctl.state.store import FileState, open_state
from batchctl.state.whole_state import Content, find_divergence
from tests.support.state_samples import ACCOUNT, NOW, HandClock, attempt, job

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


def test_copying_without_a_state_is_an_error(store: FileState, path: Path) -> None:
    with pytest.raises(StateError, match="there is no state"):
        store.copy_to(path.with_name("copy.db"))


def test_a_copy_that_cannot_be_written_names_its_own_place(filled: FileState, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="nowhere"):
        filled.copy_to(tmp_path / "nowhere" / "copy.db")


def test_the_complete_content_is_replaced_in_one_commit(filled: FileState, path: Path) -> None:
    other = beside(path)
    with other.lock() as session:
        session.commit([SaveJob(job("other"))])
    content = filled.content()
    with other.lock() as session:
        backup = session.replace_content(content)
        session.commit([SaveJob(job("later"))])
    mine, theirs = filled.load(), other.load()
    assert theirs.jobs == {**mine.jobs, "later": RecordedJob(job("later"))}
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
def test_the_complete_content_is_checked(filled: FileState, path: Path, sql: str) -> None:
    edit(path, sql)
    with pytest.raises(StateError) as caught:
        filled.content()
    assert caught.value.code == "StateCorrupt"


def test_content_of_no_file_is_empty(store: FileState) -> None:
    assert store.content().recorded == Recorded()


@pytest.mark.parametrize("damage", ["none", "sound", "junk", "log alone"])
def test_a_state_is_rebuilt_over_any_file(store: FileState, path: Path, damage: str) -> None:
    if damage == "sound":
        with store.lock() as session:
            session.commit([SaveJob(job("former"))])
    elif damage != "none":
        path.parent.mkdir()
        name = path if damage == "junk" else path.with_name("state.db-wal")
        name.write_bytes(b"junk")
    path.parent.mkdir(exist_ok=True)
    path.with_name("state.db.rebuilt").write_bytes(b"left over from a crash")
    aside = store.rewrite(WRITES, store.read_former(force=True), force=damage == "sound")
    assert (aside is None) is (damage == "none")
    recorded = store.load()
    assert (recorded.jobs.keys(), recorded.serial, recorded.identities) == ({"a", "b"}, 1, {ACCOUNT: "00c0ffee"})
    assert not path.with_name("state.db.rebuilt").exists()
    if damage == "junk" and aside is not None:
        assert aside.read_bytes() == b"junk"
    with store.lock() as session:
        session.commit([SaveJob(job("next"))])


def test_a_state_is_not_rebuilt_while_another_process_has_the_lock(filled: FileState, path: Path) -> None:
    with filled.lock() as session:
        with pytest.raises(LockedError):
            open_state(path, stack="demo", uid="abc123", clock=HandClock(), who="bob").rewrite(
                [], filled.load(), force=True
            )
        session.commit([SaveJob(job("works"))])
    assert "works" in filled.load().jobs


def test_a_session_of_the_old_file_can_write_nothing_into_the_new(filled: FileState, path: Path) -> None:
    with filled.lock() as session:
        path.with_name("state.db.lock").unlink()
        filled.rewrite([], filled.load(), force=True)
        with pytest.raises(StateError, match="moved or replaced"):
            session.commit([SaveJob(job("late"))])
    assert filled.load().jobs == {}


def test_a_state_that_another_process_just_created_is_not_replaced(filled: FileState) -> None:
    before = filled.load()
    with pytest.raises(GuardError) as caught:
        filled.rewrite([], Recorded())
    assert caught.value.code == "StateSound"
    assert filled.load() == before
    assert filled.holder() is None


def test_a_newer_state_is_not_treated_as_lost(filled: FileState, path: Path) -> None:
    edit(path, "update meta set format_version = 99")
    with pytest.raises(StateError) as caught:
        filled.rewrite([], Recorded())
    assert caught.value.code == "StateTooNew"


def later(when: int, **fields: object) -> AddEvent:
    return AddEvent(
        Event(NOW + timedelta(seconds=when), **{"job": "a", "attempt": 1, "what": "x", "why": "", **fields})
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [
        ([], [], None),
        ([], [[later(1)]], None),
        ([], [[RenameJob("a", "z"), later(1, job="z")]], None),
        ([[SaveAttempt(attempt("a", 2, remote="batches/2", state="s"))]], [[later(1)], [later(2)]], None),
        ([[later(1)]], [], "is older than the present state: its serial is 1, the state's is 2"),
        ([[later(1)]], [[later(2)]], "the same serial 2 but different records"),
        ([[later(1)]], [[later(2)], [later(3)]], "the file and the present state have both changed"),
        ([[later(1)]], [[], [later(1, why="y")]], "the file and the present state have both changed"),
        ([[later(1)]], [[], []], "the file and the present state have both changed"),
        (
            [[SaveJob(job("b", released_time=NOW))]],
            [[later(1)], [later(2)]],
            "the file and the present state have both changed",
        ),
    ],
    ids=[
        "copy",
        "went on",
        "renamed",
        "nothing of weight",
        "older",
        "apart",
        "further apart",
        "other words",
        "no events",
        "released",
    ],
)
def test_states_that_continue_another_and_states_that_do_not(
    filled: FileState, path: Path, mine: list[list[Write]], theirs: list[list[Write]], words: str | None
) -> None:
    filled.copy_to(path.with_name("other.db"))
    other = beside(path)
    for state, commits in ((filled, mine), (other, theirs)):
        for commit in commits:
            with state.lock() as session:
                session.commit(commit)
    found = find_divergence(filled.content(), other.content())
    assert (found if found is None or words is None else words in found) == (None if words is None else True)


def test_a_pruned_history_still_continues(filled: FileState, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "EVENTS_KEPT", 2)
    filled.copy_to(path.with_name("other.db"))
    other = beside(path)
    for expected in (None, "the file and the present state have both changed"):
        with other.lock() as session:
            session.commit([later(1)])
        found = find_divergence(filled.content(), other.content())
        assert (found or "").startswith(expected or "")
        assert (found is None) == (expected is None)


def test_anything_continues_nothing(store: FileState, filled: FileState) -> None:
    assert find_divergence(Content(), filled.content()) is None


def test_another_lineage_continues_nothing(filled: FileState, path: Path) -> None:
    other = beside(path)
    with other.lock() as session:
        session.commit(WRITES)
    assert "another line" in str(find_divergence(filled.content(), other.content()))


def test_a_job_whose_record_changes_without_an_event_gets_one(filled: FileState) -> None:
    changed = job("b", former_names=("c",), released_time=NOW, labels={"a": "b"})
    with filled.lock() as session:
        session.commit([SaveJob(changed), SaveJob(job("new")), SaveJob(job("a", current=2)), later(1)])
        session.commit([SaveJob(changed)])
    told = [(event.job, event.what, event.why, event.who) for event in filled.events(None, 9)][1:]
    assert told == [("a", "x", "", "ada@host"), ("b", "recorded", "changed: released_time, labels", "ada@host")]


def test_kept_changes_are_applied_to_the_new_content(filled: FileState, path: Path) -> None:
    other = beside(path)
    kept = [SaveJob(job("kept")), SaveAttempt(attempt("kept", intent=Intent(NOW)))]
    with other.lock() as session:
        session.replace_content(filled.content(), kept)
    assert other.load().jobs.keys() == {"a", "b", "kept"}
    assert other.load().jobs["kept"].attempts[0].intent == Intent(NOW)


@pytest.mark.parametrize(
    ("sql", "force", "found"),
    [
        ("update events set time = 'noon'", False, {"a", "b"}),
        ("update events set time = 'noon'", True, {"a", "b"}),
        ("update attempts set remote = 'batches/3' where attempt = 2", False, set()),
        ("update meta set format_version = 99", True, set()),
        ("update meta set uid = 'zzzzzz'", True, set()),
    ],
)
def test_a_damaged_state_is_read_as_far_as_possible(
    filled: FileState, path: Path, sql: str, force: bool, found: set[str]
) -> None:
    edit(path, sql)
    assert filled.read_former(force=force).jobs.keys() == found


def test_a_temporary_error_does_not_make_a_state_lost(
    filled: FileState, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, read: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(store_module, "read_snapshot", fail)
    with pytest.raises(StateError) as caught:
        filled.read_former(force=True)
    assert caught.value.code == "StatePermission"


def test_a_state_that_changed_during_the_rebuild_is_not_replaced(filled: FileState) -> None:
    former = filled.load()
    with filled.lock() as session:
        session.commit([later(1)])
    with pytest.raises(StateError, match="another process wrote") as caught:
        filled.rewrite([], former, force=True)
    assert (caught.value.code, filled.holder()) == ("StateBusy", None)
    assert filled.load().jobs == former.jobs
