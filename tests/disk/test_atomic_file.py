"""A file is replaced completely or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.safe_open import UnsafeFile


def test_the_file_is_private_and_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced, real = tmp_path / "a.txt", [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(stat.S_ISDIR(os.fstat(handle).st_mode)), real(handle))
    )
    with replace_file(path) as stream:
        stream.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert synced == [False, True], "the content before the name"
    with replace_file(path) as stream:
        stream.write(b"newer")
    assert path.read_bytes() == b"newer"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_after_a_failure_the_file_is_as_it_was(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fail() -> None:
        with replace_file(path) as stream:
            stream.write(b"half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_link_is_followed_or_replaced(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"theirs")
    link = tmp_path / "link"
    link.symlink_to(theirs)
    with pytest.raises(UnsafeFile), replace_file(link):
        pass
    assert link.is_symlink()
    assert theirs.read_bytes() == b"theirs"
