"""Creates files and folders that only their owner can read, whatever the umask is.

A umask can remove permissions that the owner needs, so the mode is set again after the creation.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from batchctl.disk.safe_open import open_file, open_parent

_FILE = 0o600
_FOLDER = 0o700


def create_file(path: Path) -> BinaryIO:
    """Create a file. Raises FileExistsError if the name exists, UnsafeFile if it is a link, and OSError."""
    handle = open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE)
    os.fchmod(handle, _FILE)
    return os.fdopen(handle, "w+b")


def create_empty(path: Path) -> None:
    """Create an empty file, for a library that opens files by name. Raises FileExistsError and OSError."""
    create_file(path).close()


def open_or_create(path: Path) -> int:
    """Open a file for reading and writing; create it if it is missing. Raises UnsafeFile and OSError."""
    try:
        handle = open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE)
    except FileExistsError:
        return open_file(path, os.O_RDWR)
    os.fchmod(handle, _FILE)
    return handle


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents; existing ones keep their mode. Raises UnsafeFile and OSError.

    The names of new folders are durable, so that synced files in them cannot be lost. Links are not followed.
    """
    inside = path.absolute() / "…"
    try:
        with open_parent(inside):
            return
    except FileNotFoundError:
        pass
    for folder in [*reversed(path.absolute().parents), path.absolute()][1:]:
        with open_parent(folder) as parent:
            try:
                os.mkdir(folder.name, _FOLDER, dir_fd=parent)
            except FileExistsError:
                continue
            os.chmod(folder.name, _FOLDER, dir_fd=parent)
            _sync(parent)
    with open_parent(inside):
        pass


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises UnsafeFile and OSError."""
    with open_parent(folder / "…") as handle:
        _sync(handle)


def _sync(folder: int) -> None:
    """Sync a folder, given a handle that can only search it."""
    handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
