"""Only one process writes: the flock, the epoch, and a process that lost them."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchctl.model.errors import LockedError, StateError
from batchctl.model.writes import SaveJob
from batchctl.state import lockfile
from batchctl.state.lockfile import Holder, lock_holder, read_holder, take_lock
from batchctl.state.store import FileState, open_state
from tests.support.state_samples import NOW, HandClock, job

HOLDER = Holder(1, "host", "ada", "batchctl apply", NOW)


@pytest.fixture
def other(path: Path) -> FileState:
    return open_state(path, stack="demo", uid="abc123", clock=HandClock(), who="bob@host")


def test_a_locked_state_names_its_holder(
    store: FileState, other: FileState, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/batchctl", "watch", "--set", "key=secret"])
    with store.lock():
        with pytest.raises(LockedError) as caught:
            other.lock()
        note = json.loads(path.with_name("state.db.lock").read_text())
    assert caught.value.exit_code == 5
    assert caught.value.details == note
    assert (note["pid"], note["who"], note["command"]) == (os.getpid(), "ada@host", "batchctl watch")
    assert f"`batchctl watch` of ada@host (pid {os.getpid()} on {note['host']}" in caught.value.message
    assert "since 2026-11-22T10:00:00Z" in caught.value.message
    assert "state lock break" in caught.value.hint


@pytest.mark.parametrize(("name", "user"), [("ada", "ada"), (None, f"uid{os.getuid()}")])
def test_the_holder_is_the_user_of_the_process(
    name: str | None, user: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users in containers may have no name."""

    def of_system() -> str:
        if name is None:
            raise KeyError("getpwuid(): uid not found")
        return name

    monkeypatch.setattr(lockfile.getpass, "getuser", of_system)
    state = open_state(path, stack="demo", uid="abc123", clock=HandClock())
    with state.lock():
        holder = state.holder()
    assert holder is not None
    assert holder.who == f"{user}@{os.uname().nodename}"


def test_options_are_not_in_the_note(store: FileState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["batchctl", "--state=secret", "apply"])
    with store.lock():
        holder = store.holder()
        assert holder is not None
        assert holder.command == "batchctl"


def test_the_lock_is_free_after_the_session(store: FileState, other: FileState, path: Path) -> None:
    with store.lock() as session:
        session.check()
    assert store.holder() is None
    assert path.with_name("state.db.lock").read_bytes() == b""
    with other.lock() as session:
        session.commit([SaveJob(job())])


def test_the_lock_is_free_after_an_error(store: FileState, other: FileState, path: Path) -> None:
    with pytest.raises(RuntimeError), store.lock():
        raise RuntimeError
    path.write_bytes(b"")
    for state in (store, other):
        with pytest.raises(StateError):
            state.lock()
    assert store.holder() is None


def test_a_dead_process_holds_nothing(store: FileState, path: Path) -> None:
    program = (
        "import os, sys\nfrom datetime import datetime, UTC\nfrom pathlib import Path\n"
        "from batchctl.state.lockfile import Holder, take_lock\n"
        f"take_lock(Path({str(path) + '.lock'!r}), Holder(os.getpid(), 'h', 'w', 'c', datetime.now(UTC)))\nos._exit(9)"
    )
    path.parent.mkdir()
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    assert read_holder(path.with_name("state.db.lock")) is not None
    assert store.holder() is None
    with store.lock():
        assert store.holder() is not None


def test_waiting_for_the_lock_sleeps_on_the_clock(store: FileState, path: Path, clock: HandClock) -> None:
    told: list[str] = []
    patient = open_state(path, stack="demo", uid="abc123", clock=clock, who="bob", lock_timeout=2, on_wait=told.append)
    session = store.lock()
    with pytest.raises(LockedError):
        patient.lock()
    assert clock.slept == [0.5] * 4
    assert [f"(pid {os.getpid()} on " in words for words in told] == [True]
    clock.on_sleep = lambda: session.__exit__(None, None, None) if len(clock.slept) == 6 else None
    with patient.lock():
        assert len(clock.slept) == 6


def test_a_missing_note_does_not_hide_the_lock(store: FileState, other: FileState, path: Path) -> None:
    with store.lock():
        path.with_name("state.db.lock").write_text("{")
        with pytest.raises(LockedError, match="locked by another process") as caught:
            other.lock()
    assert caught.value.details == {}


def test_without_a_file_there_is_no_lock(store: FileState) -> None:
    assert store.holder() is None
    assert store.break_lock() is None


def test_after_its_lock_is_broken_a_holder_cannot_commit(store: FileState, other: FileState) -> None:
    with store.lock() as broken:
        broken.commit([SaveJob(job("first"))])
        holder = other.break_lock()
        assert holder is not None
        assert holder.who == "ada@host"
        with other.lock() as session:
            for use in (broken.check, lambda: broken.commit([SaveJob(job("late"))])):
                with pytest.raises(StateError, match="another process took it") as caught:
                    use()
                assert caught.value.code == "LockLost"
            session.commit([SaveJob(job("second"))])
        with other.lock() as session:
            session.check()
    assert set(store.load().jobs) == {"first", "second"}


def test_a_holder_cannot_commit_as_soon_as_its_lock_is_broken(store: FileState, other: FileState) -> None:
    with store.lock() as broken:
        other.break_lock()
        with pytest.raises(StateError, match="another process took it"):
            broken.commit([SaveJob(job())])


def test_breaking_does_not_need_a_lock_file(store: FileState, path: Path) -> None:
    with store.lock() as session:
        path.with_name("state.db.lock").unlink()
        store.break_lock()
        with pytest.raises(StateError, match="epoch 2, ours was 1"):
            session.check()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_moved_during_a_session_gets_no_more_commits(
    store: FileState, path: Path, replaced: bool
) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job())])
        moved = path.rename(path.with_name("moved.db"))
        if replaced:
            path.write_bytes(moved.read_bytes())
        for use in (session.check, lambda: session.commit([SaveJob(job("lost"))])):
            with pytest.raises(StateError, match="moved or replaced") as caught:
                use()
            assert caught.value.code == "LockLost"
        moved.rename(path)


def test_a_lock_file_that_is_removed_while_it_is_taken_protects_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l"
    flock, taken = lockfile.fcntl.flock, []

    def remove_first(handle: int, flags: int) -> None:
        flock(handle, flags)
        taken.append(handle)
        if len(taken) < 3:
            path.unlink()
        if len(taken) == 1:
            path.write_text("")

    monkeypatch.setattr(lockfile.fcntl, "flock", remove_first)
    lock = take_lock(path, HOLDER)
    monkeypatch.undo()
    assert len(taken) == 3
    assert lock is not None
    assert lock_holder(path) == HOLDER
    lock.release()
    assert lock_holder(path) is None


def test_reading_the_holder_does_not_refuse_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of the note holds a shared lock for a moment, here until the third try."""
    path = tmp_path / "l"
    path.write_text("")
    asking = path.open()
    fcntl.flock(asking, fcntl.LOCK_SH)
    flock, tried = fcntl.flock, []

    def count(handle: int, flags: int) -> None:
        if flags & fcntl.LOCK_EX:
            tried.append(flags)
            if len(tried) == 3:
                asking.close()
        flock(handle, flags)

    monkeypatch.setattr(lockfile.fcntl, "flock", count)
    lock = take_lock(path, HOLDER)
    assert lock is not None
    lock.release()
    assert len(tried) == 3


def test_the_wait_for_a_shared_lock_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l"
    monkeypatch.setattr(lockfile, "_PAUSE_SECONDS", 0)
    with path.open("w") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        assert take_lock(path, HOLDER) is None


@pytest.mark.parametrize("note", [None, "", "{"])
def test_without_a_note_the_lock_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, note: str | None
) -> None:
    path = tmp_path / "l"
    if note is not None:
        path.write_text(note)

    def fail(handle: int, flags: int) -> None:
        raise AssertionError

    monkeypatch.setattr(lockfile.fcntl, "flock", fail)
    assert lock_holder(path) is None


def test_a_lock_file_that_is_removed_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockfile, "read_holder", lambda path: HOLDER)
    assert lock_holder(tmp_path / "l") is None


def test_a_failing_flock_leaves_no_handle_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int, flags: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lockfile.fcntl, "flock", fail)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="No locks"):
        take_lock(tmp_path / "l", HOLDER)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
