"""What a power cut would take: bytes and names that no `fsync` has made durable, noted while they are made.

POSIX promises that a file's bytes are on the disk after `fsync` of the file, and its name after `fsync` of its folder.
SQLite writes past Python, so of its files only the names are noted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class _Name:
    """A name in a folder, which may have another path by now."""

    folder: int
    name: str


class DiskLog:
    """Passes on every call that makes, moves or syncs a name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, check_content: bool = True) -> None:
        self._check_content = check_content
        self._names: dict[_Name, Path] = {}
        self._written: set[int] = set()
        self._torn: list[str] = []
        self._real: dict[str, Callable[..., Any]] = {}
        for name in ("fsync", "rename", "replace", "mkdir", "symlink", "link", "open"):
            self._real[name] = getattr(os, name)
            monkeypatch.setattr(os, name, getattr(self, f"_{name}"))

    def lost(self) -> list[str]:
        """What a power cut could take now, or could have left half: nothing, once a durable step has ended."""
        return self._torn + [f"the name {path.name}" for path in self._unsynced()]

    def _unsynced(self) -> list[Path]:
        return sorted(path for name, path in self._names.items() if _is_there(path, name.folder))

    def _note(self, path: str | Path, dir_fd: int | None = None) -> None:
        if dir_fd is not None:
            path = Path(f"/proc/self/fd/{dir_fd}").resolve() / path
        path = Path(path).absolute()
        self._names[_Name(path.parent.stat().st_ino, path.name)] = path

    def _fsync(self, handle: int) -> None:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            self._names = {name: path for name, path in self._names.items() if name.folder != found.st_ino}
        else:
            self._written.add(found.st_ino)
        self._real["fsync"](handle)

    def _move(self, call: str, source: str | Path, target: str | Path) -> None:
        source, target = Path(source), Path(target)
        inside = {path.stat().st_ino for path in (source, *source.rglob("*")) if _is_folder(path)}
        unnamed = [path.name for name, path in self._names.items() if name.folder in inside and path.exists()]
        unwritten = [path.name for path in _files(source) if path.stat().st_ino not in self._written]
        self._torn += [f"{name} in {target.name}, whose name was not durable when it came" for name in unnamed]
        if self._check_content:
            self._torn += [f"{name} in {target.name}, not written when it came" for name in unwritten]
        self._real[call](source, target)
        self._note(target)

    def _rename(self, source: str | Path, target: str | Path) -> None:
        self._move("rename", source, target)

    def _replace(self, source: str | Path, target: str | Path) -> None:
        self._move("replace", source, target)

    def _mkdir(self, path: str | Path, *rest: Any, dir_fd: int | None = None, **named: Any) -> None:
        self._real["mkdir"](path, *rest, dir_fd=dir_fd, **named)
        self._note(path, dir_fd)

    def _symlink(self, source: str | Path, path: str | Path, *rest: Any, **named: Any) -> None:
        self._real["symlink"](source, path, *rest, **named)
        self._note(path)

    def _link(self, source: str | Path, path: str | Path, **named: Any) -> None:
        self._real["link"](source, path, **named)
        self._note(path)

    def _open(self, path: str | Path, flags: int, *rest: Any, dir_fd: int | None = None, **named: Any) -> int:
        handle: int = self._real["open"](path, flags, *rest, dir_fd=dir_fd, **named)
        if flags & os.O_CREAT:
            self._note(path, dir_fd)
        return handle


def _files(path: Path) -> Iterator[Path]:
    if path.is_file() and not path.is_symlink():
        yield path
    for found in sorted(path.rglob("*")) if _is_folder(path) else ():
        if found.is_file() and not found.is_symlink():
            yield found


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_there(path: Path, folder: int) -> bool:
    return os.path.lexists(path) and path.parent.stat().st_ino == folder
