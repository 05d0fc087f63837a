"""Results in a bucket as the commands see them."""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree

from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.ports.inputs import InputEncoder
from batchctl.model.state_objects import ResultObjects
from batchctl.rows.bucket import wants
from batchctl.rows.bucket.index import IndexedFile
from batchctl.rows.bucket.indexes import Indexes
from batchctl.rows.bucket.mirror import Mirror
from batchctl.rows.bucket.shelf import BucketShelf
from batchctl.rows.bucket.sources import bring_with_sources
from batchctl.rows.bucket.store import BucketLedger, BucketResults
from batchctl.rows.kept import KeptFolder, read_kept
from batchctl.rows.made_rows import MADE_ROWS
from batchctl.rows.read import find_current
from batchctl.rows.sent_list import FOLDER as SENT


class BucketPlace:
    """Implements ResultsPlace. Its private folder is removed when nothing uses it any more, or the process ends."""

    def __init__(self, objects: ResultObjects, stack: str, uid: str, activity: Activity = UNWATCHED) -> None:
        """`uid` is the short uid of the stack."""
        self._objects, self._owner, self._activity = objects, (stack, uid), activity
        self.root = Path(tempfile.mkdtemp(prefix="batchctl-results-")).resolve()
        self.mirror = Mirror(objects, self.root, Indexes(objects, stack, uid), activity)
        # Stores and ledgers outlive the place that they came from.
        weakref.finalize(self.mirror, rmtree, self.root, ignore_errors=True)
        self.files = _BucketFiles(self.mirror)
        self.shelf = BucketShelf(self.mirror)
        self.store = BucketResults(self.mirror)

    def ledger(self, uid: str, inputs: InputEncoder) -> BucketLedger:
        return BucketLedger(self.mirror, uid, inputs, self.files)

    def kept(self) -> KeptFolder:
        return self.shelf.kept()

    def unused(self) -> Mapping[str, int]:
        self.mirror.indexes.refresh()
        return self.mirror.indexes.unused()

    def shown(self, path: Path) -> str:
        return f"{self.mirror.address}{path.relative_to(self.root)}"

    def probe(self) -> None:
        self.mirror.indexes.probe()

    def copy_from(self, folder: Path) -> tuple[int, tuple[str, ...]]:
        """Let the bucket have what a results folder has, and leave that as it is.

        Returns the number of collected folders, and those that were left out, with the reasons. Repeating it is
        harmless. Raises ResultsError.
        """
        self.mirror.indexes.refresh()
        found = read_kept(folder)
        ours = [one for one in found.kept if (one.stack, one.uid) == self._owner]
        source = Mirror(self._objects, folder, self.mirror.indexes, self._activity)
        folders: dict[str, list[str]] = {}
        for one in ours:
            job, _, name = (one.attempt.results or "").partition("/")
            folders.setdefault(job, [SENT, MADE_ROWS]).append(name)
        for job, names in sorted(folders.items()):
            source.add(job, *names)
            current = find_current(folder, job)
            if current is not None:
                source.point(job, current.name)
        others = tuple(f"{one.attempt.results}: it is of another stack" for one in found.kept if one not in ours)
        return len(ours), (*found.faults, *others)

    def bring_facts(self, job: str) -> None:
        self.mirror.indexes.refresh_job(job)
        bring_with_sources(self.mirror, job, lambda _index: wants.facts)

    def bring_folder(self, folder: Path) -> None:
        self.mirror.bring(folder.parent.name, wants.in_folder(folder.name), is_strict=True)

    def bring_rows(self, job: str) -> None:
        self.mirror.indexes.refresh_job(job)
        self.mirror.bring(job, wants.made_rows)

    def keep_rows(self, job: str) -> None:
        self.mirror.keep(job, MADE_ROWS)


class _BucketFiles:
    """Implements Files by the indexes: the bytes of an object are those that its index names, or it is not used.

    Raises ValueError for an object that is another one.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def has(self, path: Path) -> bool:
        return self._find(path) is not None

    def size(self, path: Path) -> int:
        return self._get(path).bytes

    def sha256(self, path: Path) -> str:
        return self._get(path).sha256

    def _get(self, path: Path) -> IndexedFile:
        found = self._find(path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        why = self._mirror.indexes.why_seen(found)
        if why is not None:
            raise ValueError(f"{self._mirror.address}{found.object} {why}")
        return found

    def _find(self, path: Path) -> IndexedFile | None:
        job, _, name = path.relative_to(self._mirror.root).as_posix().partition("/")
        return self._mirror.index(job).files.get(name)
