"""Reads places of a file in large pieces, as long as they come one after the other."""

from __future__ import annotations

from typing import BinaryIO

_AHEAD = 2**18
"""Bytes that are read at once."""


class ReadAhead:
    """Reads places of a stream. Nothing else may read the stream at the same time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start = 0
        self._piece = b""
        self._next = 0
        """The end of the last place."""

    def read(self, start: int, size: int) -> bytes:
        """The bytes of a place; fewer at the end of the stream. Raises OSError."""
        at = start - self._start
        if not 0 <= at <= at + size <= len(self._piece):
            # A place a little further on is read in passing, too: between answers are the starts of their lines.
            is_near = 0 <= start - self._next <= _AHEAD
            self._stream.seek(start)
            self._start, self._piece, at = start, self._stream.read(max(size, _AHEAD if is_near else 0)), 0
        self._next = start + size
        return self._piece[at : at + size]
