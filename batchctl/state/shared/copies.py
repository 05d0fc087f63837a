"""Private copies of a shared state, one folder for each version that was read."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

from batchctl.state.shared.place import Place


@dataclass
class Copy:
    """A local file with one version of the state. `path` does not exist if the state does not."""

    path: Path
    generation: str


class Copies:
    """The copies of one process. They are deleted with this object, or when the process ends."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder: Path | None = None
        self._last: Copy | None = None
        self._former: Copy | None = None

    def newest(self) -> Copy:
        """A copy of the present version; the last one if the state has not changed. Raises StateError."""
        if self._last is not None and self._place.find() == self._last.generation:
            return self._last
        path = self._new_place()
        generation = self._place.fetch(path)
        self.forget()
        self._last = Copy(path, generation)
        return self._last

    def forget(self) -> None:
        """Read the state again next time: the last copy may have changes that the shared state has not."""
        if self._former is not None:
            shutil.rmtree(self._former.path.parent, ignore_errors=True)
        # A session or another thread may still use the last one.
        self._former, self._last = self._last, None

    def _new_place(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="batchctl-state-")).resolve()
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self._folder)) / "state.db"
