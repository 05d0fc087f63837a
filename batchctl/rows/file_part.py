"""Bytes of a file by their places, as those of a `bytearray` are read, without all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from batchctl.rows.read_ahead import ReadAhead

_AT_ONCE = 2**18


class FilePart:
    """A part of an open file that its readers read in order. The stream must not be read elsewhere meanwhile."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream = stream
        self._start, self._size = start, size
        self._records = ReadAhead(stream)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: slice) -> bytes:
        """The bytes of a place. Raises OSError."""
        start, end, _ = place.indices(self._size)
        return self._records.read(self._start + start, max(0, end - start))

    def blocks(self) -> Iterator[bytes]:
        """All bytes, in blocks of whole lines as far as lines are not longer than a block. Raises OSError."""
        at, ahead = 0, b""
        while at < self._size:
            self._stream.seek(self._start + at)
            data = self._stream.read(min(_AT_ONCE, self._size - at))
            if not data:
                break
            at += len(data)
            data = ahead + data
            end = data.rfind(b"\n") + 1
            ahead = data[end:]
            if end:
                yield data[:end]
        if ahead:
            yield ahead
