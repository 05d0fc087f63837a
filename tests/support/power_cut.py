"""What a power cut or a kill may leave of a folder: every state that POSIX allows, at every moment of a piece of work.

POSIX promises that a file's bytes are on the disk after `fsync` of the file, and a name after `fsync` of its folder.
Until then, each change of a name may be there or not, whatever became of those before it, also of the other half of a
move between two folders; a file has the bytes that it had at its last `fsync`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path
from typing import Any, TypeAlias

import pytest

World: TypeAlias = frozenset[tuple[str, bytes | str | None]]
"""Each path below the folder: the bytes of a file, the target of a link, None for a folder."""
_Changes: TypeAlias = Mapping[str, int | None]
"""Names of one folder, with the node that each gets; None: the name goes."""


@dataclass
class _Node:
    """A file, a link, or a folder, as the disk has it."""

    content: bytes = b""
    link: str | None = None
    names: dict[str, int] | None = None
    """Of a folder."""
    pending: list[_Changes] = field(default_factory=list)
    """Changes of a folder that are not durable."""

    def copy(self) -> _Node:
        names = None if self.names is None else dict(self.names)
        return _Node(self.content, self.link, names, list(self.pending))

    def ways(self) -> Iterator[dict[str, int]]:
        """The names that the folder may have."""
        for chosen in product((False, True), repeat=len(self.pending)):
            names = dict(self.names or {})
            for changes, is_there in zip(self.pending, chosen, strict=True):
                for name, node in changes.items() if is_there else ():
                    names.pop(name, None)
                    names |= {} if node is None else {name: node}
            yield names


class PowerCut:
    """Follows every call that changes a name below `root`, or makes something durable."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is below `root` now is durable."""
        self._root = root
        self._numbers = count()
        self._by_inode: dict[int, int] = {}
        self._nodes: dict[int, _Node] = {}
        self._top = self._take_in(root)
        self._moments: list[dict[int, _Node]] = []
        self._killed: set[World] = set()
        self._real: dict[str, Callable[..., Any]] = {}
        for name in ("fsync", "open", "mkdir", "rename", "replace", "symlink", "link", "unlink", "rmdir"):
            self._real[name] = getattr(os, name)
            monkeypatch.setattr(os, name, getattr(self, f"_{name}"))

    def worlds(self) -> set[World]:
        """All that a cut or a kill at any moment so far may have left."""
        return self._killed.union(*map(self._worlds, self._moments))

    def last_worlds(self) -> set[World]:
        """All that a cut may leave now."""
        return set(self._worlds(self._moments[-1]))

    def _worlds(self, nodes: Mapping[int, _Node]) -> Iterator[World]:
        folders = [number for number, node in nodes.items() if node.names is not None]
        for ways in product(*(tuple(nodes[number].ways()) for number in folders)):
            yield frozenset(self._entries("", self._top, nodes, dict(zip(folders, ways, strict=True))))

    def _entries(
        self, path: str, number: int, nodes: Mapping[int, _Node], names: Mapping[int, Mapping[str, int]]
    ) -> Iterator[tuple[str, bytes | str | None]]:
        for name, below in names[number].items():
            node, place = nodes[below], f"{path}{name}"
            if node.names is None:
                yield place, node.content if node.link is None else node.link
            else:
                yield place, None
                yield from self._entries(f"{place}/", below, nodes, names)

    def _take_in(self, path: Path) -> int:
        """A node for what is durable already."""
        found = path.lstat()
        node = _Node()
        if stat.S_ISLNK(found.st_mode):
            node.link = str(path.readlink())
        elif stat.S_ISDIR(found.st_mode):
            node.names = {one.name: self._take_in(one) for one in sorted(path.iterdir())}
        else:
            node.content = path.read_bytes()
        return self._add(found.st_ino, node)

    def _add(self, inode: int, node: _Node) -> int:
        number = next(self._numbers)
        self._by_inode[inode], self._nodes[number] = number, node
        return number

    def _end(self) -> None:
        self._moments.append({number: node.copy() for number, node in self._nodes.items()})
        self._killed.add(read_world(self._root))

    def _note(self, path: Path, node: int | None, also: _Changes | None = None) -> None:
        """A name changes; `also`: others in the same folder, by the same call."""
        folder = self._by_inode.get(path.parent.stat().st_ino)
        if folder is not None:
            self._nodes[folder].pending.append({**(also or {}), path.name: node})

    def _made(self, path: Path, node: _Node) -> None:
        if self._root in path.parents:
            self._note(path, self._add(path.lstat().st_ino, node))
            self._end()

    def _gone(self, path: Path) -> None:
        if self._root in path.parents:
            self._note(path, None)
            self._end()

    def _open(self, path: Any, flags: int, *rest: Any, dir_fd: int | None = None, **named: Any) -> int:
        is_new = flags & os.O_CREAT and not os.path.lexists(_whole(path, dir_fd))
        handle: int = self._real["open"](path, flags, *rest, dir_fd=dir_fd, **named)
        if is_new:
            self._made(_whole(path, dir_fd), _Node())
        return handle

    def _mkdir(self, path: Any, *rest: Any, dir_fd: int | None = None, **named: Any) -> None:
        self._real["mkdir"](path, *rest, dir_fd=dir_fd, **named)
        self._made(_whole(path, dir_fd), _Node(names={}))

    def _symlink(self, source: Any, path: Any, *rest: Any, dir_fd: int | None = None, **named: Any) -> None:
        self._real["symlink"](source, path, *rest, dir_fd=dir_fd, **named)
        self._made(_whole(path, dir_fd), _Node(link=str(source)))

    def _link(self, source: Any, path: Any, **named: Any) -> None:
        self._real["link"](source, path, **named)
        if self._root in (whole := _whole(path, None)).parents:
            self._note(whole, self._by_inode[whole.stat().st_ino])
            self._end()

    def _unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        whole = _whole(path, dir_fd)
        self._real["unlink"](path, dir_fd=dir_fd)
        self._gone(whole)

    def _rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        whole = _whole(path, dir_fd)
        self._real["rmdir"](path, dir_fd=dir_fd)
        self._gone(whole)

    def _rename(
        self, source: Any, target: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        self._move("rename", _whole(source, src_dir_fd), _whole(target, dst_dir_fd))

    def _replace(
        self, source: Any, target: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        self._move("replace", _whole(source, src_dir_fd), _whole(target, dst_dir_fd))

    def _move(self, call: str, source: Path, target: Path) -> None:
        node = self._by_inode.get(source.lstat().st_ino)
        self._real[call](source, target)
        if node is None:
            return
        if source.parent == target.parent:
            self._note(target, node, {source.name: None})
        else:
            self._note(source, None)
            self._note(target, node)
        self._end()

    def _fsync(self, handle: int) -> None:
        self._real["fsync"](handle)
        number = self._by_inode.get(os.fstat(handle).st_ino)
        if number is None:
            return
        node = self._nodes[number]
        if node.names is None:
            node.content = Path(f"/proc/self/fd/{handle}").read_bytes()
        else:
            *_, node.names = node.ways()
            node.pending.clear()
        self._end()


def read_world(root: Path) -> World:
    """All that is below a folder: a killed process leaves what it wrote, durable or not."""
    found: set[tuple[str, bytes | str | None]] = set()
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found.add((name, str(path.readlink())))
        else:
            found.add((name, path.read_bytes() if path.is_file() else None))
    return frozenset(found)


def build(world: World, root: Path) -> None:
    """Make the files of a world below a new folder."""
    root.mkdir()
    for name, content in sorted(world, key=lambda entry: entry[0]):
        path = root / name
        if content is None:
            path.mkdir()
        elif isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)


def _whole(path: Any, dir_fd: int | None) -> Path:
    start = Path() if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}").readlink()
    return (start / path).absolute()
