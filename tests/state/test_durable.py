"""The state file's name survives a power cut, however it was created. SQLite syncs its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.writes import SaveAttempt, SaveJob, Write
from batchctl.state.store import FileState
from tests.support.disk_log import DiskLog
from tests.support.state_samples import attempt, job

WRITES: list[Write] = [SaveJob(job()), SaveAttempt(attempt())]


def _names(disk: DiskLog, path: Path) -> list[str]:
    """The files whose names must be durable: not the lock and SQLite's own files."""
    return [words for words in disk.lost() if not words.endswith((".lock", "-wal", "-shm"))]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> DiskLog:
    return DiskLog(monkeypatch, check_content=False)


def test_a_new_state_is_durable_with_the_folders_above_it(store: FileState, path: Path, disk: DiskLog) -> None:
    with store.lock() as session:
        session.commit(WRITES)
    assert path.is_file()
    assert _names(disk, path) == []


def test_a_rebuilt_state_is_durable_and_so_is_the_old_file(store: FileState, path: Path, disk: DiskLog) -> None:
    with store.lock() as session:
        session.commit(WRITES)
    aside = store.rewrite(WRITES, store.load(), force=True)
    assert aside is not None
    assert aside.is_file()
    assert _names(disk, path) == []


def test_a_copy_of_the_state_is_durable_under_its_name(store: FileState, tmp_path: Path, disk: DiskLog) -> None:
    with store.lock() as session:
        session.commit(WRITES)
    copy = tmp_path / "copy.db"
    store.copy_to(copy)
    assert copy.is_file()
    assert _names(disk, copy) == []
