from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchctl.state.store import FileState, open_state
from tests.support.state_samples import HandClock

NOBODY = 65534


@pytest.fixture(autouse=True)
def _leases_are_renewed_when_a_test_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause between two renewals really passes: on a busy machine one would come in the middle of a test."""
    monkeypatch.setattr("batchctl.state.shared.lease._BEATS", 0.001)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def store(path: Path, clock: HandClock) -> FileState:
    return open_state(path, stack="demo", uid="abc123", clock=clock, who="ada@host")


@pytest.fixture
def shared_path() -> Iterator[Path]:
    """A state file in a folder that other users can reach; pytest's own folders are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder / "state" / "state.db"
    shutil.rmtree(folder)


@pytest.fixture
def unprivileged() -> Iterator[Callable[[], None]]:
    """Drops root's privileges for the rest of the test, because root may write everywhere."""
    root = os.geteuid() == 0

    def drop() -> None:
        if root:
            os.seteuid(NOBODY)

    yield drop
    if root:
        os.seteuid(0)
