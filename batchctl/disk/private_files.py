"""Creates files and folders that only their owner can read, whatever the umask is.

A umask can remove permissions that the owner needs, so the mode is set again after the creation.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, TypeAlias

from batchctl.disk.safe_open import open_file, open_folder, open_parent

Piece: TypeAlias = bytes | bytearray | memoryview

_FILE = 0o600
_FOLDER = 0o700
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL


def create_file(path: Path) -> BinaryIO:
    """Create a file. Raises FileExistsError if the name exists, UnsafeFile if it is a link, and OSError."""
    return os.fdopen(open_file(path, _NEW, _FILE), "w+b")


def write_file(path: Path, *pieces: Piece) -> None:
    """Create a file with this content, durably; its name is not. Raises FileExistsError, UnsafeFile and OSError."""
    handle = open_file(path, _NEW, _FILE)
    try:
        for piece in pieces:
            _write_all(handle, memoryview(piece))
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(handle, piece) :]


def create_empty(path: Path) -> None:
    """Create an empty file, for a library that opens files by name. Raises FileExistsError and OSError."""
    create_file(path).close()


def open_or_create(path: Path) -> int:
    """Open a file for reading and writing; create it if it is missing. Raises UnsafeFile and OSError."""
    try:
        return open_file(path, _NEW, _FILE)
    except FileExistsError:
        return open_file(path, os.O_RDWR)


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents; existing ones keep their mode. Raises UnsafeFile and OSError.

    The names of new folders are durable, so that synced files in them cannot be lost. Links are not followed.
    """
    path = path.absolute()
    if _is_folder(path):
        return
    make_folder(path.parent)
    try:
        create_folder(path)
        sync_folder(path.parent)
    except FileExistsError:
        with open_folder(path):
            pass


def create_folder(path: Path) -> None:
    """Create a folder whose name need not be durable. Raises FileExistsError, UnsafeFile and OSError."""
    with open_parent(path) as parent:
        os.mkdir(path.name, _FOLDER, dir_fd=parent)
        os.chmod(path.name, _FOLDER, dir_fd=parent)


def _is_folder(path: Path) -> bool:
    """Whether a folder exists. Raises UnsafeFile if it is a link or below one, and OSError."""
    try:
        with open_folder(path):
            return True
    except FileNotFoundError:
        return False


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises UnsafeFile and OSError."""
    with open_folder(folder) as handle:
        _sync(handle)


def _sync(folder: int) -> None:
    """Sync a folder, given a handle that can only search it."""
    handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
