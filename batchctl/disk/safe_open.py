"""Opens files of a checkout, which anybody may have written.

A link in a checkout can lead to any file of the user who runs batchctl, and a pipe is waited for without end. So no
part of a path is followed if it is a symbolic link, and only regular files are opened. A path that may lead through
links is resolved and checked against what is allowed first (`manifests.trust`); what comes here is the real path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

_SEARCH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ALWAYS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK has no meaning for regular files; without it, to open a pipe is to wait for its other end."""


class UnsafeFile(OSError):
    """What is there is a symbolic link, or no regular file. Nothing was read from it or written to it."""

    def __init__(self, number: int, what: str, path: Path) -> None:
        super().__init__(number, what, str(path))

    @property
    def words(self) -> str:
        """Which file, and what it is."""
        return f"{self.filename}: {self.strerror}"


def open_file(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """A handle on a regular file. Raises UnsafeFile for a link, a pipe and the like, and OSError."""
    with open_parent(path) as parent:
        try:
            handle = os.open(path.name, flags | _ALWAYS, mode, dir_fd=parent)
        except OSError as error:
            raise _told(error, parent, path, only_links=isinstance(error, FileExistsError)) from error
    try:
        _require_regular(os.fstat(handle), path)
    except BaseException:
        os.close(handle)
        raise
    return handle


def open_stream(path: Path) -> BufferedReader:
    """A regular file, for reading. Raises UnsafeFile and OSError."""
    return os.fdopen(open_file(path), "rb")


def read_start(path: Path, limit: int) -> bytes:
    """At most `limit` bytes of a regular file, from its start. Raises UnsafeFile and OSError."""
    with open_stream(path) as stream:
        return stream.read(limit)


def is_there(path: Path) -> bool:
    """Whether there is anything by this name, a link that leads nowhere included. Raises UnsafeFile for the folders."""
    try:
        with open_parent(path) as parent:
            os.lstat(path.name, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def require_regular(*paths: Path) -> None:
    """Raise UnsafeFile unless each is a regular file or not there at all: for a library that opens files by name."""
    for path in paths:
        try:
            with open_parent(path) as parent:
                _require_regular(os.lstat(path.name, dir_fd=parent), path)
        except (FileNotFoundError, NotADirectoryError):
            continue


@contextmanager
def open_parent(path: Path) -> Iterator[int]:
    """A handle on the folder that a path lies in; for searching alone. Raises UnsafeFile and OSError."""
    absolute = path.absolute()
    handle = os.open(absolute.anchor, _SEARCH)
    try:
        for depth, name in enumerate(absolute.parts[1:-1], start=2):
            below = _step(handle, name, Path(*absolute.parts[:depth]))
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _step(parent: int, name: str, path: Path) -> int:
    try:
        return os.open(name, _SEARCH, dir_fd=parent)
    except OSError as error:
        raise _told(error, parent, path, only_links=True) from error


def _told(error: OSError, parent: int, path: Path, *, only_links: bool) -> OSError:
    """The error with the whole path in it; or that it is a link or no regular file, where that is the reason."""
    try:
        found = os.lstat(path.name, dir_fd=parent)
        if not only_links or stat.S_ISLNK(found.st_mode):
            _require_regular(found, path)
    except FileNotFoundError:
        pass
    except OSError as reason:
        return reason
    return OSError(error.errno, error.strerror, str(path))


def _require_regular(found: os.stat_result, path: Path) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise UnsafeFile(errno.ELOOP, "it is a symbolic link", path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeFile(errno.EINVAL, "it is not a regular file", path)
