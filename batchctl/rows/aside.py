"""Bytes that are put aside while rows are read: few in memory, many in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

_IN_MEMORY = 2**18
"""Bytes that are written at once."""


class Aside:
    """Bytes in the order in which they are added. A disk without space only costs memory."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._in_file = 0
        self._memory = bytearray()
        """The bytes that follow those in the file."""
        self._has_space = True

    def __len__(self) -> int:
        return self._in_file + len(self._memory)

    def add(self, piece: bytes) -> None:
        """Add the next bytes."""
        self._memory += piece
        if len(self._memory) >= _IN_MEMORY and self._has_space:
            self._write()

    def read(self, start: int, size: int) -> bytes:
        """Some bytes that were added. Raises OSError."""
        found, end = b"", start + size
        if self._file is not None and start < self._in_file:
            self._file.seek(start)
            found = self._file.read(min(end, self._in_file) - start)
        return found + self._memory[max(0, start - self._in_file) : max(0, end - self._in_file)]

    def pieces(self, end: int | None = None) -> Iterator[bytes]:
        """All bytes, or those before `end`. Raises OSError."""
        size = len(self) if end is None else end
        for start in range(0, size, _IN_MEMORY):
            yield self.read(start, min(_IN_MEMORY, size - start))

    def close(self) -> None:
        """Forget all bytes."""
        self._memory.clear()
        self._in_file = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = _new_file()
            self._file.seek(self._in_file)
            rest = memoryview(self._memory)
            with rest:
                written = 0
                while written < len(rest):
                    written += self._file.write(rest[written:])
        except OSError:
            self._has_space = False
            return
        self._in_file += len(self._memory)
        self._memory.clear()


def _new_file() -> BinaryIO:
    import tempfile  # few inputs are so large

    return tempfile.TemporaryFile(prefix="batchctl-", buffering=0)
