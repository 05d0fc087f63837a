"""Opens files of a checkout, which may contain files of a stranger.

A link in a checkout can lead to any file of the user who runs batchctl, and opening a pipe blocks. So no symbolic link
in a path is followed, and only regular files are opened. The caller resolves and checks paths that may contain links
(`manifests.trust`), and passes the real path.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

_SEARCH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ALWAYS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK has no effect on regular files; without it, opening a pipe waits for its other end."""

_CHUNK = 2**16


class UnsafeFile(OSError):
    """The file is a symbolic link or not a regular file. Nothing was read from it or written to it."""

    def __init__(self, number: int, what: str, path: Path | str) -> None:
        super().__init__(number, what, str(path))

    @property
    def words(self) -> str:
        """The file and the reason, for messages."""
        return f"{self.filename}: {self.strerror}"


def open_file(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open a regular file; returns its handle. Raises UnsafeFile for a link, a pipe and the like, and OSError.

    With O_EXCL the new file has exactly the permissions of `mode`, whatever the umask is.
    """
    with open_parent(path) as parent:
        return _open_in(parent, path.name, path, flags, mode)[0]


def _open_in(parent: int, name: str, path: Path | str, flags: int, mode: int = 0o600) -> tuple[int, os.stat_result]:
    """The handle, and what the file was like when it was opened."""
    try:
        handle = os.open(name, flags | _ALWAYS, mode, dir_fd=parent)
    except OSError as error:
        raise _with_path(error, parent, Path(path), only_links=isinstance(error, FileExistsError)) from error
    try:
        found = os.fstat(handle)
        _require_regular(found, path)
        if flags & os.O_EXCL and stat.S_IMODE(found.st_mode) != mode:
            # The umask can remove permissions that the owner needs.
            os.fchmod(handle, mode)
    except BaseException:
        os.close(handle)
        raise
    return handle, found


def open_stream(path: Path) -> BufferedReader:
    """Open a regular file for reading. Raises UnsafeFile and OSError."""
    return os.fdopen(open_file(path), "rb")


def read_start(path: Path, limit: int) -> bytes:
    """Read at most `limit` bytes from the start of a regular file. Raises UnsafeFile and OSError."""
    with open_parent(path) as parent:
        return _read_start(parent, path.name, path, limit)[0]


def open_folder(path: Path) -> OpenFolder:
    """A handle of a folder, to read many of its files or to look into it, for a `with` block.

    Raises UnsafeFile for a link, and OSError.
    """
    return OpenFolder(_absolute(path))


def read_start_in(folder: int, name: str, limit: int) -> tuple[bytes, os.stat_result]:
    """The same as `read_start` for a file in a folder that is open, and what the file was like before it was read."""
    return _read_start(folder, name, name, limit)


def _read_start(folder: int, name: str, path: Path | str, limit: int) -> tuple[bytes, os.stat_result]:
    handle, found = _open_in(folder, name, path, os.O_RDONLY)
    try:
        # One byte more is asked for than there should be: if just the others come, the file ends there.
        content = os.read(handle, min(found.st_size + 1, limit))
        if len(content) == found.st_size:
            return content, found
        # The file may have grown, and a read may be short.
        while len(content) < limit and (more := os.read(handle, min(_CHUNK, limit - len(content)))):
            content += more
        return content, found
    finally:
        os.close(handle)


def is_there(path: Path) -> bool:
    """Whether the name exists, even as a broken link. Raises UnsafeFile if a folder on the way is a link."""
    try:
        with open_parent(path) as parent:
            os.lstat(path.name, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def require_regular(*paths: Path) -> None:
    """Raise UnsafeFile unless each path is a regular file or missing, for a library that opens files by name."""
    for path in paths:
        try:
            with open_parent(path) as parent:
                _require_regular(os.lstat(path.name, dir_fd=parent), path)
        except (FileNotFoundError, NotADirectoryError):
            continue


def open_parent(path: Path) -> OpenFolder:
    """A handle that can search the parent folder of a path, for a `with` block. Raises UnsafeFile and OSError."""
    return OpenFolder(_absolute(path).rpartition("/")[0])


class OpenFolder:
    """A folder that is open until the end of its `with` block. A class, because there are many for each small file."""

    __slots__ = ("_handle", "_is_own")

    def __init__(self, folder: str) -> None:
        start, known = _nearest(folder)
        self._handle = _walk(start, folder, known)
        self._is_own = self._handle != start

    def __enter__(self) -> int:
        return self._handle

    def __exit__(self, *_: object) -> None:
        if self._is_own:
            os.close(self._handle)


@contextmanager
def hold_open(folder: Path) -> Iterator[None]:
    """Keep a folder open, so that this thread looks its path up once for all files below it that the block opens.

    Of a folder that does not exist yet, the nearest parent is kept. Within the block the folder is the one that was
    found, whatever gets its name meanwhile. Raises UnsafeFile for a link on the way, and OSError.
    """
    path = _absolute(folder)
    start, known = _nearest(path)
    while True:
        try:
            handle = _walk(start, path, known)
            break
        except FileNotFoundError:
            path = path.rpartition("/")[0]
    if handle == start:
        yield
        return
    _held.handles[path] = handle
    try:
        yield
    finally:
        del _held.handles[path]
        os.close(handle)


class _Held(threading.local):
    """The folders that a thread keeps open, by their absolute paths."""

    def __init__(self) -> None:
        self.handles: dict[str, int] = {}


_held = _Held()


def _absolute(path: Path) -> str:
    whole = str(path)
    return whole if whole.startswith("/") else str(path.absolute())


def _nearest(folder: str) -> tuple[int, int]:
    """The handle of the nearest folder that is kept open, and the length of its path; -1 and 0: none."""
    handles = _held.handles
    while handles and folder:
        handle = handles.get(folder)
        if handle is not None:
            return handle, len(folder)
        folder = folder.rpartition("/")[0]
    return -1, 0


def _walk(start: int, folder: str, known: int) -> int:
    """The handle of a folder, from the one that the start of its path leads to; that one itself if it is the folder."""
    handle = os.open("/", _SEARCH) if start < 0 else start
    try:
        end = known
        for name in filter(None, folder[known:].split("/")):
            end = folder.index(name, end) + len(name)
            below = _step(handle, name, folder, end)
            if handle != start:
                os.close(handle)
            handle = below
    except BaseException:
        if handle != start:
            os.close(handle)
        raise
    return handle


def _step(parent: int, name: str, folder: str, end: int) -> int:
    """Open the folder below another one whose path ends there."""
    try:
        return os.open(name, _SEARCH, dir_fd=parent)
    except OSError as error:
        raise _with_path(error, parent, Path(folder[:end]), only_links=True) from error


def _with_path(error: OSError, parent: int, path: Path, *, only_links: bool) -> OSError:
    """The error with the complete path; an UnsafeFile if a link or a special file is the reason."""
    try:
        found = os.lstat(path.name, dir_fd=parent)
        if not only_links or stat.S_ISLNK(found.st_mode):
            _require_regular(found, path)
    except FileNotFoundError:
        pass
    except OSError as reason:
        return reason
    return OSError(error.errno, error.strerror, str(path))


def _require_regular(found: os.stat_result, path: Path | str) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISLNK(found.st_mode):
        raise UnsafeFile(errno.ELOOP, "it is a symbolic link", path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise UnsafeFile(errno.EINVAL, "it is not a regular file", path)
