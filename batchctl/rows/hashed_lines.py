"""Writes a file in large pieces, and hashes what it writes."""

from __future__ import annotations

import hashlib
import shutil
from io import SEEK_END
from typing import Any, BinaryIO

from msgspec import Struct

from batchctl.rows.durable import flush_durably
from batchctl.rows.large_writes import LargeWrites


class Mark(Struct, frozen=True):
    """A place between lines."""

    end: int
    sha256: Any
    """The hash of the lines before it; hashlib's type of hashes has no public name."""


class HashedLines:
    """Takes the lines of a file one by one."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._sha256 = hashlib.sha256()
        self._lines = LargeWrites(self._write)
        self.end = 0
        """The bytes of all lines."""

    def add(self, line: bytes) -> None:
        """Add the next line. Raises OSError."""
        self.end += len(line)
        self._lines.add(line)

    def read(self, start: int, size: int) -> bytes:
        """The bytes of lines that were added. Raises OSError."""
        self._lines.flush()
        self._target.seek(start)
        found = self._target.read(size)
        self._target.seek(0, SEEK_END)
        return found

    def mark(self) -> Mark:
        """The place after the last line. Raises OSError."""
        self._lines.flush()
        return Mark(self.end, self._sha256.copy())

    def take_back(self, mark: Mark, into: BinaryIO) -> None:
        """Move all lines after a mark into another file. Raises OSError."""
        self._lines.flush()
        self._target.seek(mark.end)
        shutil.copyfileobj(self._target, into)
        self._target.seek(mark.end)
        self._target.truncate()
        self.end, self._sha256 = mark.end, mark.sha256.copy()

    def hexdigest(self) -> str:
        """The sha256 of all lines. Raises OSError."""
        self._lines.flush()
        return self._sha256.hexdigest()

    def finish(self) -> str:
        """Write the rest durably; returns the sha256 of all lines. Raises OSError."""
        found = self.hexdigest()
        flush_durably(self._target)
        return found

    def _write(self, piece: bytes) -> None:
        self._sha256.update(piece)
        self._target.write(piece)
