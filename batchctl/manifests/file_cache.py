"""Keeps what files of manifests gave between commands, so that unchanged ones are not read again.

One SQLite file for each stack and the settings that it is read with. An entry belongs to a path and to a hash of all
bytes that were read, never to a size or times, and has a checksum. The cache is only a help: without a folder, with a
damaged file or beside another process that writes, manifests are read as if there were none.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from batchctl.disk.private_files import create_empty, make_folder
from batchctl.disk.safe_open import require_regular
from batchctl.manifests.known_files import KnownFile
from batchctl.manifests.manifest_files import ManifestFile
from batchctl.manifests.packed_files import Packer

MOST_STACKS = 16
"""Files of the cache, each for a stack with its settings."""
_FORMAT = b"batchctl-manifests-2"
_SUFFIX = ".db"
_TABLE = "CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, content BLOB, entry BLOB, seal BLOB)"
_FIND = "SELECT entry, seal FROM files WHERE path = ? AND content = ?"
_KEEP = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)"
_SEAL_BYTES = 16


class FileCache:
    """Implements FileStore in a folder, which need not exist yet."""

    def __init__(self, folder: Path, settings: bytes) -> None:
        self._folder = folder
        self._settings = settings
        self._packer = Packer()
        self._db: sqlite3.Connection | None = None
        self._open()

    def find(self, file: ManifestFile, content: bytes) -> KnownFile | None:
        """The result of a file, by its path and the hash of its content."""
        if self._db is None:
            return None
        try:
            found = self._db.execute(_FIND, (file.path, content)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        if found is None or not isinstance(found[0], bytes) or found[1] != self._seal(file.path, content, found[0]):
            return None
        try:
            return self._packer.unpack(found[0], file.path, file.shown)
        except msgspec.MsgspecError:
            return None  # damaged: the file is read, and the entry written again

    def keep(self, path: str, content: bytes, file: KnownFile) -> None:
        """Keep a file in place of the former one with its path."""
        if self._db is None:
            return
        try:
            entry = self._packer.pack(file)
            self._db.execute(_KEEP, (path, content, entry, self._seal(path, content, entry)))
        except UnicodeEncodeError:
            return  # a name of a file, or the value of a variable, that is not UTF-8
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self, paths: Iterable[str]) -> None:
        """Write what was kept, and remove what was not found if it has become more than half."""
        if self._db is None:
            return
        try:
            present = set(paths)
            kept = [path for (path,) in self._db.execute("SELECT path FROM files")]
            if len(kept) > 2 * len(present):
                gone = [(path,) for path in kept if path not in present]
                self._db.executemany("DELETE FROM files WHERE path = ?", gone)
            self._db.execute("COMMIT")
            self._db.close()
            self._db = None
        except sqlite3.Error as error:
            self._give_up(error)

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._settings.hex()}{_SUFFIX}"

    def _open(self) -> None:
        try:
            make_folder(self._folder)
            with suppress(FileExistsError):
                create_empty(self._path)
                self._prune()
            require_regular(self._path)
            os.utime(self._path)
        except OSError:
            return
        try:
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=0)
            self._db.execute("PRAGMA trusted_schema = OFF")
            self._db.execute("PRAGMA journal_mode = MEMORY")
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute(_TABLE)
            self._db.execute("BEGIN")
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without the cache. A damaged file is removed, for the next command."""
        if self._db is not None:
            self._db.close()
            self._db = None
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            with suppress(OSError):
                self._path.unlink()

    def _prune(self) -> None:
        """Remove the files of stacks that were not read for the longest time."""
        files = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.lstat().st_mtime_ns)
        for path in files[:-MOST_STACKS]:
            path.unlink()

    def _seal(self, path: str, content: bytes, entry: bytes) -> bytes:
        name = path.encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(_FORMAT, digest_size=_SEAL_BYTES)
        for part in (self._settings, name, content, entry):
            digest.update(b"%d " % len(part))
            digest.update(part)
        return digest.digest()
