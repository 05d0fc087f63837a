"""Reads a stream in blocks of complete lines, and single lines where they are longer than a block."""

from __future__ import annotations

from typing import BinaryIO

from batchctl.model.activity import Flow

BLOCK = 2**17
"""Bytes that are read at once: few enough for the caches of a processor."""


class LineBlocks:
    """A stream of lines. Implements LineSource for the lines that no block contains."""

    def __init__(self, stream: BinaryIO, flow: Flow) -> None:
        self._stream = stream
        self._flow = flow
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
        self._flow.add(len(more))
        return given + more

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._flow.add(len(data))
        return data
