"""Splits a streamed body into lines, with a limit on the size of one line. Does not read the lines' content."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import BinaryIO, TypeAlias

from batchctl.model.desired import LINE_BYTES

LINE_LIMIT = LINE_BYTES
"""Bytes of one line, unless the stack sets `limits.lineBytes`."""
_START = 4096


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
    held = _Held(limit)
    with closing(held):
        for chunk in chunks:
            first, *others = chunk.split(b"\n")
            held.add(first)
            if not others:
                continue
            yield held.line()
            held.clear()
            for piece in others[:-1]:
                if len(piece) <= limit:
                    yield piece
                    continue
                held.add(piece)
                yield held.line()
                held.clear()
            held.add(others[-1])
        yield held.line()


class _Held:
    """Collects the line that is being read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._long: LongLine | None = None

    def add(self, piece: bytes) -> None:
        if self._long is not None:
            self._long.add(piece)
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            self._long = LongLine(self._pieces)
            self._pieces = []

    def line(self) -> Line:
        if self._long is None:
            return b"".join(self._pieces)
        self._long.content.seek(0)
        return self._long

    def clear(self) -> None:
        self.close()
        self._pieces, self._size, self._long = [], 0, None

    def close(self) -> None:
        if self._long is not None:
            self._long.close()
