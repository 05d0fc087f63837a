"""Private copies of a shared state, one folder for each version that was read."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batchctl.disk.private_files import create_file
from batchctl.model.state_objects import ABSENT, StateObjects
from batchctl.state.shared.errors import place_errors
from batchctl.state.sqlite_errors import state_errors


@dataclass
class Copy:
    """A local file with one version of the state. `path` does not exist if the state does not."""

    path: Path
    generation: str


class Copies:
    """The copies of one process. They are deleted with this object, or when the process ends."""

    def __init__(self, objects: StateObjects) -> None:
        self._objects = objects
        self._folder: Path | None = None
        self._last: Copy | None = None
        self._former: Copy | None = None

    def newest(self) -> Copy:
        """A copy of the present version; the last one if the state has not changed. Raises StateError."""
        with place_errors(self._objects.address):
            if self._last is not None and self._objects.find("").generation == self._last.generation:
                return self._last
            path = self._new_place()
            with state_errors(path), create_file(path) as stream:
                version = self._objects.fetch("", stream)
        if version.generation == ABSENT:
            path.unlink()
        self.forget()
        self._last = Copy(path, version.generation)
        return self._last

    def forget(self) -> None:
        """Read the state again next time: the last copy may have changes that the shared state has not."""
        if self._former is not None:
            shutil.rmtree(self._former.path.parent, ignore_errors=True)
        # A session or another thread may still use the last one.
        self._former, self._last = self._last, None

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A path for a temporary file."""
        path = self._new_place()
        try:
            yield path
        finally:
            shutil.rmtree(path.parent, ignore_errors=True)

    def _new_place(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="batchctl-state-")).resolve()
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self._folder)) / "state.db"
