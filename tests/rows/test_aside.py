"""Bytes that are put aside come back, wherever they were kept."""

from __future__ import annotations

import io
from contextlib import closing
from typing import Any

import pytest

from batchctl.rows import aside
from batchctl.rows.aside import Aside

PIECES = [b"", b"abc", b"d", b"efghijklmn", b"", b"op", b"q" * 40, b"r"]
WHOLE = b"".join(PIECES)


class SmallDisk(io.BytesIO):
    """A temporary file on a disk with little space, which takes a few bytes at a time."""

    def __init__(self, space: int) -> None:
        super().__init__()
        self.space = space

    def write(self, data: Any) -> int:
        written = bytes(data)[:7]
        if self.tell() + len(written) > self.space:
            raise OSError(28, "No space left on device")
        return super().write(written)


@pytest.mark.parametrize("in_memory", [1, 4, 9, 1000])
@pytest.mark.parametrize("space", [0, 3, 10, 17, 1000])
def test_bytes_come_back(in_memory: int, space: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "_IN_MEMORY", in_memory)
    disk = SmallDisk(space)
    monkeypatch.setattr(aside, "_new_file", lambda: disk)
    with closing(Aside()) as found:
        added = b""
        for piece in PIECES:
            found.add(piece)
            added += piece
            assert len(found) == len(added)
            assert b"".join(found.pieces()) == added
            assert b"".join(found.pieces(len(added) // 2)) == added[: len(added) // 2]
        for start in range(len(WHOLE)):
            for size in (0, 1, 5, 100):
                assert found.read(start, size) == WHOLE[start : start + size]
    assert len(found) == 0
    assert disk.closed == (in_memory < len(WHOLE))


def test_few_bytes_are_in_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "_new_file", lambda: pytest.fail("there is a file"))
    with closing(Aside()) as found:
        found.add(b"abc")
        assert list(found.pieces()) == [b"abc"]


def test_many_bytes_are_in_a_file() -> None:
    with closing(Aside()) as found:
        for number in range(300):
            found.add(b"%04d" % number * 500)
        assert len(found._memory) < aside._IN_MEMORY
        assert b"".join(found.pieces()) == b"".join(b"%04d" % number * 500 for number in range(300))
