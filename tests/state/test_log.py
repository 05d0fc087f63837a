"""A state whose log is gone is a state of some time ago: it is refused, and nothing else is."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from batchctl.model.errors import StateError
from batchctl.model.recorded import SaveJob
from batchctl.state import log
from batchctl.state.store import FileState, open_state
from tests.support.state_samples import HandClock, job


def at(path: Path) -> FileState:
    return open_state(path, stack="demo", uid="abc123", clock=HandClock(), who="ada")


def refused(use: Callable[[], object]) -> StateError:
    with pytest.raises(StateError) as caught:
        use()
    assert caught.value.code == "StateCorrupt"
    return caught.value


def fill(store: FileState) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job("job-0"))])


@pytest.fixture
def killed(store: FileState, path: Path, tmp_path: Path) -> Path:
    """What a process leaves that was killed after its commits: the file, and the log that they are in."""
    copy = tmp_path / "killed"
    copy.mkdir()
    fill(store)
    with store.lock() as session:
        session.commit([SaveJob(job())])
        for suffix in ("", "-wal"):
            shutil.copy(path.with_name(f"state.db{suffix}"), copy)
    return copy / "state.db"


def test_with_its_log_it_is_whole(killed: Path) -> None:
    assert set(at(killed).load().jobs) == {"job-0", "translate"}
    with at(killed).lock() as session:
        assert set(session.load().jobs) == {"job-0", "translate"}
    assert set(at(killed).load().jobs) == {"job-0", "translate"}


@pytest.mark.parametrize("use", ["load", "lock", "content"])
def test_without_its_log_it_is_refused(killed: Path, use: str) -> None:
    killed.with_name("state.db-wal").unlink()
    error = refused(getattr(at(killed), use))
    assert "its log state.db-wal is missing" in error.message
    assert "put it back beside the file" in error.hint
    assert "state rebuild" in error.hint


def test_an_empty_log_is_none(killed: Path) -> None:
    """Viewers make one when they open a file that lacks its log."""
    killed.with_name("state.db-wal").write_bytes(b"")
    refused(at(killed).load)


def test_another_program_that_folds_the_log_in_does_no_harm(killed: Path) -> None:
    shell = sqlite3.connect(killed)
    assert shell.execute("select count(*) from jobs").fetchone() == (2,)
    shell.close()
    assert not killed.with_name("state.db-wal").exists()
    assert set(at(killed).load().jobs) == {"job-0", "translate"}


def test_after_an_orderly_end_the_file_alone_is_whole(store: FileState, path: Path, tmp_path: Path) -> None:
    fill(store)
    shutil.copy(path, tmp_path / "copy.db")
    assert set(at(tmp_path / "copy.db").load().jobs) == {"job-0"}


def test_a_copy_that_batchctl_makes_in_a_session_is_whole(store: FileState, tmp_path: Path) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job())])
        store.copy_to(tmp_path / "copy.db")
    assert set(at(tmp_path / "copy.db").load().jobs) == {"translate"}


def test_a_long_log_is_folded_in_and_missed_all_the_same(
    store: FileState, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_MOST_BYTES", 64 * 1024)
    wal = path.with_name("state.db-wal")
    with store.lock() as session:
        sizes = []
        for number in range(60):
            session.commit([SaveJob(job(f"job-{number}"))])
            sizes.append(wal.stat().st_size)
        shutil.copy(path, tmp_path / "copy.db")
    assert max(sizes) < 128 * 1024
    refused(at(tmp_path / "copy.db").load)
    assert len(at(path).load().jobs) == 60


def test_a_log_that_is_taken_away_in_a_session_loses_nothing(store: FileState, path: Path) -> None:
    with store.lock() as session:
        path.with_name("state.db-wal").unlink()
        session.commit([SaveJob(job())])
    assert set(at(path).load().jobs) == {"translate"}


def test_a_session_that_ends_between_two_looks_is_no_loss(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[[Path], bool] = log.has_content

    def end_first(path: Path) -> bool:
        sqlite3.connect(killed).execute("select count(*) from jobs").connection.close()
        return real(path)

    monkeypatch.setattr(log, "has_content", end_first)
    assert set(at(killed).load().jobs) == {"job-0", "translate"}
