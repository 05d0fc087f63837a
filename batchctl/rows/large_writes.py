"""Collects small pieces of a file, and writes them many at a time. Large pieces do not stay in memory."""

from __future__ import annotations

from collections.abc import Callable

_AT_ONCE = 2**18
"""Bytes that are written at once."""


class LargeWrites:
    """Pieces on their way to a file."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """`write` gets some pieces at a time, as one."""
        self._write = write
        self._waiting: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Add the next piece. Raises what `write` raises."""
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write the pieces that wait, if there are any. Raises what `write` raises."""
        if self._waiting:
            joined = b"".join(self._waiting)
            self._waiting.clear()
            self._size = 0
            self._write(joined)
