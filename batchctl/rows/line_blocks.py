"""Reads a file in blocks of complete lines, and single lines where they are longer than a block."""

from __future__ import annotations

import hashlib
from io import SEEK_CUR
from typing import BinaryIO

from batchctl.model.activity import UNWATCHED, Flow

BLOCK = 3 * 2**15
"""Bytes that are read at once: few enough for the caches of a processor."""
_KEPT = 2**20
"""Bytes of buffers that are freed, and used again."""


class ReadBytes:
    """Gets the bytes of a file as they are read, and reports their number."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def add(self, data: bytes) -> None:
        """Add the next bytes."""
        self._flow.add(len(data))

    def begin_again(self) -> None:
        """Start another reading of the same file, which is not reported."""
        self._flow = UNWATCHED


class HashedBytes(ReadBytes):
    """The same with the sha256 of the bytes."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        self._hash = hashlib.sha256()

    def add(self, data: bytes) -> None:
        super().add(data)
        self._hash.update(data)

    def begin_again(self) -> None:
        super().begin_again()
        self._hash = hashlib.sha256()

    def hexdigest(self) -> str:
        """The hash of the bytes of the last reading."""
        return self._hash.hexdigest()


def keep_freed_buffers() -> None:
    """Let glibc keep the memory of freed buffers, as it does after it has freed a larger one (mallopt(3)).

    At the start of a process it returns buffers of 128 KiB, and as much free memory at the end of its heap, to the
    system, which fills each page with zeros before it gives it again: a twentieth of the time that a row takes.
    """
    bytes(_KEPT)


class LineBlocks:
    """A file of lines. Implements LineSource for the lines that no block contains."""

    def __init__(self, stream: BinaryIO, content: ReadBytes) -> None:
        """`stream` can be searched: the start of a line that a block does not contain is read again."""
        self._stream = stream
        self._content = content
        keep_freed_buffers()

    def block(self) -> bytes:
        """The next complete lines; empty at the end of the file, and if the next line is longer than a block."""
        data = self._stream.read(BLOCK)
        if len(data) == BLOCK:
            end = data.rfind(b"\n") + 1
            self._stream.seek(end - BLOCK, SEEK_CUR)
            data = data[:end]
        self._content.add(data)
        return data

    def readline(self, size: int, /) -> bytes:
        """The next line, or its first bytes."""
        line = self._stream.readline(size)
        self._content.add(line)
        return line
