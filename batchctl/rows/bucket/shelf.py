"""Looks at the results in a bucket in every pass: what of it is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from batchctl.model.errors import ResultsError
from batchctl.model.exhaustion import raise_if_exhausted
from batchctl.model.inventory import Inventory, KeptResults
from batchctl.rows.bucket.index import IndexedFile
from batchctl.rows.bucket.mirror import Mirror
from batchctl.rows.folder import MANIFEST_FILE, MANIFEST_FORMAT, RESULTS_FILE
from batchctl.rows.kept import FAULTS, OTHER_ROWS, KeptFolder, fault_words, kept_of


class BucketShelf:
    """Implements Shelf. The bucket has checked each object when it was written, and a generation never changes."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._read: dict[str, tuple[tuple[str | None, str | None], KeptResults | str]] = {}

    def look(self) -> Inventory:
        """All collected folders: each file has to be in the bucket, in the generation that its index names.

        Raises ExhaustedError if the machine lacks what a look needs.
        """
        try:
            self._mirror.indexes.refresh()
            return self._look()
        except ResultsError as error:
            raise_if_exhausted(error)
            return Inventory(problem=f"{error.message} ({error.hint})")
        except RuntimeError as error:
            raise_if_exhausted(error)
            raise

    def _look(self) -> Inventory:
        kept: dict[str, KeptResults] = {}
        faults = {f"{job}/index.json": why for job, why in self._mirror.indexes.faults().items()}
        for job, index in self._mirror.indexes.all().items():
            for name, files in index.folders().items():
                path = f"{job}/{name}"
                found = self._why_other(files) or self._look_at(path, files)
                if isinstance(found, str):
                    faults[path] = found
                else:
                    kept[path] = found
        return Inventory(kept, faults)

    def verify(self, path: str) -> str | None:
        """Look at the objects of a folder once more. Why one of them is another, or cannot be looked at; else None."""
        job, _, name = path.partition("/")
        try:
            files = self._mirror.index(job).folders().get(name)
            if files is None:
                return "the folder is missing"
            for file in files.values():
                why = self._mirror.why_now(file)
                if why is not None:
                    return f"{self._mirror.address}{file.object} {why}"
        except ResultsError as error:
            raise_if_exhausted(error)
            return error.message
        found = self._look_at(path, files)
        return found if isinstance(found, str) else None

    def kept(self) -> KeptFolder:
        """All collected results, for a lost state. Raises ResultsError."""
        inventory = self.look()
        if inventory.problem is not None:
            self._mirror.indexes.refresh()
        faults = tuple(f"{path}: {why}" for path, why in sorted(inventory.faults.items()))
        return KeptFolder(tuple(one for _, one in sorted(inventory.kept.items())), faults)

    def _why_other(self, files: Mapping[str, IndexedFile]) -> str | None:
        for file in files.values():
            why = self._mirror.indexes.why_seen(file)
            if why is not None:
                return f"{self._mirror.address}{file.object} {why}"
        return None

    def _look_at(self, path: str, files: Mapping[str, IndexedFile]) -> KeptResults | str:
        text = files[MANIFEST_FILE].text if MANIFEST_FILE in files else None
        facts = text, files[RESULTS_FILE].sha256 if RESULTS_FILE in files else None
        before = self._read.get(path)
        if before is not None and before[0] == facts:
            return before[1]
        try:
            found: KeptResults | str = _kept(Path(path), text, files)
        except FAULTS as error:
            found = fault_words(error)
        self._read[path] = facts, found
        return found


def _kept(folder: Path, text: str | None, files: Mapping[str, IndexedFile]) -> KeptResults:
    """The collected attempt of a folder. Raises FAULTS."""
    for name, is_there in ((MANIFEST_FILE, text is not None), (RESULTS_FILE, RESULTS_FILE in files)):
        if not is_there:
            raise ValueError(f"{name} is missing")
    manifest = json.loads(text or "")
    if not isinstance(manifest, dict) or manifest["format"] != MANIFEST_FORMAT:
        raise ValueError("its manifest is of another format")
    if files[RESULTS_FILE].sha256 != manifest["sha256"]:
        raise ValueError(OTHER_ROWS)
    return kept_of(folder, manifest)
