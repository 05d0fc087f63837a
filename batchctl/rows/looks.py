"""Looks at the results folder in every pass: what of it is whole.

Owns the cheap look and the thorough one. Never writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from batchctl.disk.safe_open import hold_open
from batchctl.model.exhaustion import raise_if_exhausted
from batchctl.model.inventory import Inventory, KeptResults
from batchctl.rows.folder import MANIFEST_FILE, RESULTS_FILE, folders_in

_Signature: TypeAlias = tuple[tuple[int, ...], ...]


class ResultsShelf:
    """Implements Shelf: what has not changed since the last look is not read again."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._seen: dict[str, tuple[_Signature, KeptResults | str]] = {}

    def look(self) -> Inventory:
        """All collected folders, whole as far as names, manifests and sizes tell, and as `verify` found them.

        Raises ExhaustedError where the machine gives no room to look.
        """
        try:
            folders = list(folders_in(self._results))
        except OSError as error:
            raise_if_exhausted(error)
            return Inventory(problem=f"{self._results}: {error.strerror}")
        kept, faults = {}, {}
        for folder in folders:
            path = f"{folder.parent.name}/{folder.name}"
            found = self._look_at(path, folder)
            if isinstance(found, str):
                faults[path] = found
            else:
                kept[path] = found
        return Inventory(kept, faults)

    def verify(self, path: str) -> str | None:
        """Read the rows of a collected folder against their hash: why they are not whole, None when they are.

        Raises ExhaustedError, as `look` does.

        What is found here counts in later looks, as long as the files stay as they are.
        """
        from batchctl.rows.kept import FAULTS, check_rows, fault_words, read_manifest

        folder = self._results / path
        signature = _signature(folder)
        try:
            check_rows(folder, read_manifest(folder))
        except FAULTS as error:
            raise_if_exhausted(error)
            words = fault_words(error)
            if not isinstance(error, OSError):
                self._seen[path] = (signature, words)
            return words
        return None

    def _look_at(self, path: str, folder: Path) -> KeptResults | str:
        signature = _signature(folder)
        before = self._seen.get(path)
        if before is not None and before[0] == signature:
            return before[1]
        from batchctl.rows.kept import FAULTS, check_size, fault_words, kept_of, read_manifest

        found: KeptResults | str
        try:
            with hold_open(folder):
                manifest = read_manifest(folder)
                check_size(folder, manifest)
            found = kept_of(folder, manifest)
        except OSError as error:
            # It may pass without a change of the files.
            raise_if_exhausted(error)
            return fault_words(error)
        except FAULTS as error:
            found = fault_words(error)
        self._seen[path] = (signature, found)
        return found


def _signature(folder: Path) -> _Signature:
    """A value that changes with the files of a collected folder."""
    return tuple(_stat(folder / name) for name in (MANIFEST_FILE, RESULTS_FILE))


def _stat(path: Path) -> tuple[int, ...]:
    try:
        found = path.lstat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
