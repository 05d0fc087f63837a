"""The files and folders that a reading of manifests has looked at, to see cheaply whether another one is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

_Signature: TypeAlias = tuple[int, int, int, int, int]


class SeenFiles:
    """Of one reading after the other. Paths are as the user named them: a link on the way may switch.

    Nothing is noted before the first `begin`: most commands read the manifests once.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Signature | None] | None = None

    def begin(self) -> None:
        """Start a reading."""
        self._seen = {}

    def note(self, path: str | Path, found: os.stat_result | None = None) -> None:
        """Note a file or folder as it is, so that a later change is not missed. To be called before it is read.

        `found`: what a file was like when it was opened, if it is no link. Then it can be noted when it was read, too.
        """
        if self._seen is not None:
            name = os.fspath(path)
            self._seen[name] = _signature(name) if found is None else _signature_of(found)

    def are_same(self) -> bool:
        """Whether none of them has changed, as far as sizes and times tell. False if nothing was noted."""
        seen = self._seen or {}
        return bool(seen) and all(found is not None and found == _signature(path) for path, found in seen.items())


def _signature(path: str) -> _Signature | None:
    """A value that changes with a file's content or a folder's names; None if it cannot be examined."""
    try:
        found = os.stat(path)  # noqa: PTH116  a stack may have many thousands
    except (OSError, ValueError):
        return None
    return _signature_of(found)


def _signature_of(found: os.stat_result) -> _Signature:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
