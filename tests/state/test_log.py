"""A state without its log is an old state: it is refused, and other states are not."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from batchctl.model.errors import StateError
from batchctl.model.writes import SaveJob
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
    """The files of a process that was killed after its commits: the state, and the log with the commits."""
    copy = tmp_path / "killed"
    copy.mkdir()
    fill(store)
    with store.lock() as session:
        session.commit([SaveJob(job())])
        for suffix in ("", "-wal"):
            shutil.copy(path.with_name(f"state.db{suffix}"), copy)
    return copy / "state.db"


def test_with_its_log_it_is_complete(killed: Path) -> None:
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


def test_an_empty_log_counts_as_missing(killed: Path) -> None:
    """Viewers create an empty log if it is missing."""
    killed.with_name("state.db-wal").write_bytes(b"")
    refused(at(killed).load)


def test_a_checkpoint_by_another_program_is_harmless(killed: Path) -> None:
    shell = sqlite3.connect(killed)
    assert shell.execute("select count(*) from jobs").fetchone() == (2,)
    shell.close()
    assert not killed.with_name("state.db-wal").exists()
    assert set(at(killed).load().jobs) == {"job-0", "translate"}


def test_after_a_regular_end_the_file_is_complete_without_its_log(store: FileState, path: Path, tmp_path: Path) -> None:
    fill(store)
    shutil.copy(path, tmp_path / "copy.db")
    assert set(at(tmp_path / "copy.db").load().jobs) == {"job-0"}


def test_a_copy_that_batchctl_makes_in_a_session_is_complete(store: FileState, tmp_path: Path) -> None:
    with store.lock() as session:
        session.commit([SaveJob(job())])
        store.copy_to(tmp_path / "copy.db")
    assert set(at(tmp_path / "copy.db").load().jobs) == {"translate"}


def test_a_missing_log_is_found_after_a_checkpoint_too(
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


def test_a_log_that_is_deleted_in_a_session_loses_nothing(store: FileState, path: Path) -> None:
    with store.lock() as session:
        path.with_name("state.db-wal").unlink()
        session.commit([SaveJob(job())])
    assert set(at(path).load().jobs) == {"translate"}


def test_a_session_that_ends_between_two_checks_loses_nothing(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[[Path], bool] = log.has_content

    def end_first(path: Path) -> bool:
        sqlite3.connect(killed).execute("select count(*) from jobs").connection.close()
        return real(path)

    monkeypatch.setattr(log, "has_content", end_first)
    assert set(at(killed).load().jobs) == {"job-0", "translate"}
