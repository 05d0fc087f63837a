"""Two processes that create or read a state file at the same moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchctl.model.errors import StateError
from batchctl.state.connection import create_file, refuse_left_over_wal, side_file
from batchctl.state.formats import MIGRATIONS
from batchctl.state.migrations import Identity


def test_a_file_that_appeared_after_the_first_check_is_not_missing(tmp_path: Path) -> None:
    """The reader saw no file; then a writer created it and its log."""
    path = tmp_path / "state.db"
    path.write_bytes(b"here by now")
    side_file(path, "-wal").write_bytes(b"log")
    refuse_left_over_wal(path)
    path.unlink()
    with pytest.raises(StateError, match="it is missing, but"):
        refuse_left_over_wal(path)


def test_a_process_that_lost_the_lock_while_creating_the_file_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successor took the incomplete file for a left-over and created the state."""
    path = tmp_path / "state.db"
    real_replace = Path.replace

    def replace(source: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "replace", real_replace)
        create_file(path, MIGRATIONS, Identity("shop", "a1b2c3"))
        return real_replace(source, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(StateError) as caught:
        create_file(path, MIGRATIONS, Identity("shop", "a1b2c3"))
    assert caught.value.code == "LockLost"
    assert path.exists()
