"""Places of a file come back as they are, in whatever order they are read, and few reads are needed in order."""

from __future__ import annotations

import io
import random

import pytest

from batchctl.rows import read_ahead
from batchctl.rows.read_ahead import ReadAhead


class Counted(io.BytesIO):
    """A stream that counts its reads."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize("seed", range(20))
def test_any_places_come_back(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "_AHEAD", 32)
    draw = random.Random(seed)
    content = draw.randbytes(500)
    stream = ReadAhead(io.BytesIO(content))
    start = 0
    for _ in range(200):
        start = start + draw.randrange(20) if draw.random() < 0.7 else draw.randrange(510)
        size = draw.randrange(60)
        assert stream.read(start, size) == content[start : start + size]
        start = (start + size) % 510


def test_places_in_order_need_few_reads() -> None:
    stream = Counted(bytes(400_000))
    ahead = ReadAhead(stream)
    for place in range(0, 400_000, 100):
        assert len(ahead.read(place + 10, 90)) == 90
    assert stream.reads <= 3
