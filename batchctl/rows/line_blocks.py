"""Reads a stream in blocks of complete lines, and single lines where they are longer than a block."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from batchctl.model.activity import UNWATCHED, Flow

BLOCK = 3 * 2**15
"""Bytes that are read at once: few enough for the caches of a processor.

glibc returns a buffer of 128 KiB or more to the system when it is freed, and the system fills each page of the next one
with zeros: an eighth of the time that a row takes. What is made of a block should stay below that, too.
"""


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


class LineBlocks:
    """A stream of lines. Implements LineSource for the lines that no block contains."""

    def __init__(self, stream: BinaryIO, content: ReadBytes) -> None:
        self._stream = stream
        self._content = content
        self._ahead = b""
        """Bytes that were read and not given yet."""

    def block(self) -> bytes:
        """The next complete lines; empty at the end of the stream, and if the next line is longer than a block."""
        data = self._ahead + self._read(BLOCK - len(self._ahead))
        is_last = len(data) < BLOCK
        end = len(data) if is_last else data.rfind(b"\n") + 1
        self._ahead = data[end:]
        return data[:end]

    def readline(self, size: int, /) -> bytes:
        """The next line, or its first bytes."""
        end = self._ahead.find(b"\n") + 1 or len(self._ahead)
        given, self._ahead = self._ahead[: min(end, size)], self._ahead[min(end, size) :]
        if given.endswith(b"\n") or len(given) == size:
            return given
        more = self._stream.readline(size - len(given))
        self._content.add(more)
        return given + more

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._content.add(data)
        return data
