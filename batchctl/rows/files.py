"""Facts of the files below a results folder, whether or not this machine has them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Protocol

from batchctl.disk.safe_open import open_stream


class Files(Protocol):
    """Facts of files, by their path below the results folder. Raises OSError; FileNotFoundError if there is none."""

    def has(self, path: Path) -> bool:
        """Whether there is such a file."""
        ...

    def size(self, path: Path) -> int:
        """Its bytes."""
        ...

    def sha256(self, path: Path) -> str:
        """Of its bytes, in hex."""
        ...


class LocalFiles:
    """Files on this machine."""

    def has(self, path: Path) -> bool:
        return path.is_file()

    def size(self, path: Path) -> int:
        with open_stream(path) as stream:
            return os.fstat(stream.fileno()).st_size

    def sha256(self, path: Path) -> str:
        with open_stream(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


LOCAL: Files = LocalFiles()
