"""Files for what has to wait while results are collected. Most collections are small, and need none on the disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

_IN_MEMORY = 2**16
"""Bytes from which on they are on the disk: a collection has four such files, and many collections run at once."""


@contextmanager
def temporary(folder: Path) -> Iterator[BinaryIO]:
    """An empty file, which is gone after the block; in a folder that has space for what comes from it."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder)) as stream:
        yield cast("BinaryIO", stream)
