"""Writes a file in large pieces, and hashes what it writes."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from batchctl.rows.durable import flush_durably

_AT_ONCE = 2**18
"""Bytes that are written at once."""


class HashedLines:
    """Takes the lines of a file one by one."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._sha256 = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._size = 0
        self.end = 0
        """The bytes of all lines."""

    def add(self, line: bytes) -> None:
        """Add the next line. Raises OSError."""
        self._waiting.append(line)
        self._size += len(line)
        self.end += len(line)
        if self._size > _AT_ONCE:
            self._write()

    def finish(self) -> str:
        """Write the rest durably; returns the sha256 of all lines. Raises OSError."""
        self._write()
        flush_durably(self._target)
        return self._sha256.hexdigest()

    def _write(self) -> None:
        piece = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._sha256.update(piece)
        self._target.write(piece)
