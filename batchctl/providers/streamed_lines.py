"""Splits a streamed body into lines, with a limit on the size of one line. Does not read the lines' content."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import BinaryIO, TypeAlias

from batchctl.model.stack import LINE_BYTES

LINE_LIMIT = LINE_BYTES
"""Bytes of one line, unless the stack sets `limits.lineBytes`."""
_START = 4096
_AT_ONCE = 2**17
"""Bytes of lines that are read at once: few enough for the caches of a processor."""
_TOGETHER = 8 * _AT_ONCE
"""Bytes that wait for each other. A processor that waits for a slow body runs other programs, whose code and data then
have its caches: the first lines after a wait take much longer than the next ones.
"""


class LongLine:
    """A line beyond the limit: its first bytes in memory, and all of it on disk until the reader continues."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.content: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # `lines` closes it
        self.size = 0
        self.start = b""
        for piece in pieces:
            self.add(piece)

    def add(self, piece: bytes) -> None:
        """Append the next bytes."""
        self.start += piece[: max(0, _START - len(self.start))]
        self.size += len(piece)
        self.content.write(piece)

    def close(self) -> None:
        """Delete the temporary file."""
        self.content.close()


Line: TypeAlias = bytes | LongLine


def lines(chunks: Iterable[bytes], limit: int) -> Iterator[Line]:
    """The lines without their line ends; the last one is empty when the body ends with a line end.

    The content of a LongLine is deleted as soon as the next line is requested.
    """
    with closing(LineSplitter(limit)) as splitter:
        for chunk in chunks:
            yield from splitter.split(chunk)
        yield splitter.line()


def whole_lines(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The same bytes in larger chunks, which end with a line unless a line is longer than that."""
    held: list[bytes] = []
    size, together = 0, min(_TOGETHER, limit)
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size < together:
            continue
        data = b"".join(held)
        end = data.rfind(b"\n") + 1 or len(data)
        yield from _parts(data, end, min(_AT_ONCE, limit))
        held, size = [data[end:]], len(data) - end
    data = b"".join(held)
    yield from _parts(data, len(data), min(_AT_ONCE, limit))


def _parts(data: bytes, end: int, size: int) -> Iterator[bytes]:
    """Parts of at least this size, the last one excepted, each to the end of its line."""
    at = 0
    while at < end:
        stop = min(end, data.find(b"\n", at + size, end) + 1 or end)
        yield data[at:stop]
        at = stop


class LineSplitter:
    """Splits chunks into lines, and holds the line that is being read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._long: LongLine | None = None

    def split(self, chunk: bytes) -> Iterator[Line]:
        """The lines that end in a chunk."""
        first, *others = chunk.split(b"\n")
        self._add(first)
        if not others:
            return
        yield self.line()
        self._clear()
        for piece in others[:-1]:
            if len(piece) <= self._limit:
                yield piece
                continue
            self._add(piece)
            yield self.line()
            self._clear()
        self._add(others[-1])

    @property
    def is_between_lines(self) -> bool:
        """Whether nothing of a line was read since the last line end."""
        return not self._size

    def _add(self, piece: bytes) -> None:
        if self._long is not None:
            self._long.add(piece)
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            self._long = LongLine(self._pieces)
            self._pieces = []

    def line(self) -> Line:
        """The bytes since the last line end."""
        if self._long is None:
            return b"".join(self._pieces)
        self._long.content.seek(0)
        return self._long

    def _clear(self) -> None:
        self.close()
        self._pieces, self._size, self._long = [], 0, None

    def close(self) -> None:
        """Delete the temporary file of a long line."""
        if self._long is not None:
            self._long.close()
