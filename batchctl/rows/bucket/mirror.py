"""A private copy of the files in a bucket that this process needs.

Each step of a collection works on local files, as with a results folder. Before it, the files that it reads are brought
here; after it, those that it wrote are uploaded, and then one write of the job's index makes all of them count.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct, structs

from batchctl.disk.atomic_file import replace_file
from batchctl.disk.private_files import make_folder
from batchctl.disk.safe_open import open_stream, read_start
from batchctl.model.activity import UNWATCHED, Activity
from batchctl.model.errors import ApiError
from batchctl.model.state_objects import ResultObjects
from batchctl.rows.bucket.errors import DamagedObject, place_errors, taken
from batchctl.rows.bucket.index import IndexedFile, JobIndex, is_file_name, is_manifest
from batchctl.rows.bucket.indexes import Indexes
from batchctl.rows.bucket.objects import Sums, download, each_object, upload, why_not_same
from batchctl.rows.folder import CURRENT, MOST_BYTES, results_errors
from batchctl.rows.made_rows import MADE_ROWS

Wants = Callable[[str], bool]
"""Whether a file is needed, by its path below the folder of its job."""


class _Copy(Struct, frozen=True):
    """A local file in place of an object."""

    sha256: str
    """Of the object."""
    signature: tuple[int, ...]
    """Of the file."""


class Mirror:
    """The files of results at one address, by `indexes`. Thread-safe. Methods raise ResultsError."""

    def __init__(self, objects: ResultObjects, root: Path, indexes: Indexes, activity: Activity = UNWATCHED) -> None:
        """`root` is a private folder, which exists."""
        self.root = root
        self.indexes = indexes
        self._objects = objects
        self._activity = activity
        self._copies: dict[str, dict[str, _Copy]] = defaultdict(dict)
        self._damaged: dict[str, set[str]] = defaultdict(set)
        """Local files that are empty, because their objects have other bytes by now."""
        self._locks: dict[str, threading.RLock] = {}
        self._mutex = threading.Lock()

    @property
    def address(self) -> str:
        return self._objects.address

    def index(self, job: str) -> JobIndex:
        """The index of a job as it was read or written last."""
        return self.indexes.of(job)

    def why_now(self, file: IndexedFile) -> str | None:
        """Why the object of a file is not the right one; None if it is."""
        with place_errors(self.address):
            return why_not_same(file, self._objects.find(file.object))

    def bring(self, job: str, wants: Wants, *, is_strict: bool = False) -> None:
        """Let the private folder have the wanted files of a job, and none that its index lacks by now.

        In place of an object that is another one by now, there is an empty file, which counts as damaged, as in a
        results folder. With `is_strict`, this raises.
        """
        folder = self.root / job
        with self._of_job(job):
            index, copies, damaged = self.index(job), self._copies[job], self._damaged[job]
            for path in copies.keys() - index.files.keys():
                (folder / path).unlink(missing_ok=True)
                del copies[path]
            for path, file in sorted(index.files.items()):
                copy = copies.get(path)
                is_missing = copy is None or copy.sha256 != file.sha256 or path in damaged
                if is_missing and wants(path):
                    is_whole = self._bring_file(folder / path, file, is_strict=is_strict)
                    (damaged.discard if is_whole else damaged.add)(path)
                    copies[path] = _Copy(file.sha256, _sign(folder / path))
            if folder.is_dir():
                _link_current(folder, index.current)

    def _bring_file(self, path: Path, file: IndexedFile, *, is_strict: bool) -> bool:
        """Write a local file; False if it is an empty one."""
        make_folder(path.parent)
        if file.text is not None:
            with replace_file(path) as stream:
                stream.write(file.text.encode())
        else:
            try:
                download(self._objects, file, path, self._activity)
            except DamagedObject:
                if is_strict:
                    raise
                with replace_file(path):
                    return False
        if file.modified is not None:
            os.utime(path, ns=(file.modified, file.modified))
        return True

    def drop(self, job: str, wants: Wants) -> None:
        """Remove private copies, which can be brought again."""
        with self._of_job(job):
            for path in [path for path in self._copies[job] if wants(path)]:
                self._remove(job, path)

    def keep(self, job: str, *folders: str, current: str | None = None) -> None:
        """Let the bucket have what the private copies of these folders of a job have, and only that.

        `current`: the folder that becomes the current one; None: it stays. In the same write: an object can be written
        about once a second.
        All of it counts when this returns, and none of it if this raises: then new private copies are removed.
        """
        with self._of_job(job):
            try:
                self._keep(job, folders, current)
            except BaseException:
                self._remove_new(job, folders)
                raise

    def add(self, job: str, *folders: str) -> None:
        """Let the bucket have these folders, too. Raises also if it has other files of the same names."""
        with self._of_job(job):
            index = self.index(job)
            for path in self._paths_in(job, folders):
                with open_stream(self.root / job / path) as stream:
                    if path in index.files and index.files[path].sha256 != Sums.of(stream).sha256:
                        raise taken(f"{self.address}{job}/{path.partition('/')[0]}/")
            self._keep(job, folders, None)

    def _keep(self, job: str, folders: Iterable[str], current: str | None) -> None:
        index = self.index(job)
        before = {path: file for path, file in index.files.items() if path.partition("/")[0] in folders}
        files = {path: file for path, file in index.files.items() if path not in before}
        for path in self._paths_in(job, folders):
            files[path] = self._kept_file(job, path, before.get(path))
        newer = structs.replace(index, files=files, current=current or index.current)
        if newer == index:
            return
        self.indexes.write(newer)
        for path in self._paths_in(job, folders):
            copy = self._copy(job, path, files[path])
            if self._copies[job].get(path) != copy:
                self._copies[job][path] = copy
                self._damaged[job].discard(path)
        self._remove_unused(before, files)

    def _kept_file(self, job: str, path: str, before: IndexedFile | None) -> IndexedFile:
        """The object of a local file; it is written unless the index has it already."""
        file = self.root / job / path
        modified = file.stat().st_mtime_ns if path.startswith(f"{MADE_ROWS}/") else None
        if before is not None and self._copies[job].get(path) == self._copy(job, path, before):
            return before if before.modified == modified else structs.replace(before, modified=modified)
        with open_stream(file) as stream:
            sums = Sums.of(stream)
        if before is not None and before.sha256 == sums.sha256 and self.why_now(before) is None:
            stored = before
        else:
            self.indexes.probe()
            stored = upload(self._objects, f"{job}/{path}", file, sums, self._activity)
        text = read_start(file, MOST_BYTES).decode() if is_manifest(path) else None
        return structs.replace(stored, modified=modified, text=text)

    def point(self, job: str, folder: str) -> None:
        """Let the results in a folder be the current ones of a job; results that are not there are not pointed at."""
        with self._of_job(job):
            index = self.index(job)
            if index.current != folder and folder in index.folders():
                self.indexes.write(structs.replace(index, current=folder))

    def rename(self, job: str, to: str) -> bool:
        """Let a job's results have another job's name; False if there are none."""
        first, second = sorted((job, to))
        with self._of_job(first), self._of_job(second):
            is_done = self.indexes.rename(job, to)
            for each in (job, to):
                self._copies.pop(each, None)
                self._damaged.pop(each, None)
                shutil.rmtree(self.root / each, ignore_errors=True)
        return is_done

    def _paths_in(self, job: str, folders: Iterable[str]) -> list[str]:
        return [f"{folder}/{name}" for folder in folders for name in _names_in(self.root / job / folder)]

    def _copy(self, job: str, path: str, file: IndexedFile) -> _Copy:
        """The local file as the copy of an object."""
        return _Copy(file.sha256, _sign(self.root / job / path))

    def _remove_new(self, job: str, folders: Iterable[str]) -> None:
        """Remove local files that are not those of the index. Others may be in use by another thread."""
        index = self.index(job)
        for path in self._paths_in(job, folders):
            file = index.files.get(path)
            if file is None or self._copies[job].get(path) != self._copy(job, path, file):
                self._remove(job, path)

    def _remove(self, job: str, path: str) -> None:
        (self.root / job / path).unlink(missing_ok=True)
        self._copies[job].pop(path, None)

    def _remove_unused(self, before: Mapping[str, IndexedFile], files: Mapping[str, IndexedFile]) -> None:
        """Delete the objects of replaced files. One that stays costs its storage, and nothing else."""
        for name in set(each_object(before)) - set(each_object(files)):
            with suppress(ApiError):
                self._objects.delete(name)

    @contextmanager
    def _of_job(self, job: str) -> Iterator[None]:
        with self._mutex:
            lock = self._locks.setdefault(job, threading.RLock())
        with lock, place_errors(self.address), results_errors(self.root / job):
            yield


def _names_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(file.name for file in folder.iterdir() if is_file_name(file.name) and file.is_file())


def _sign(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _link_current(folder: Path, current: str | None) -> None:
    link = folder / CURRENT
    link.unlink(missing_ok=True)
    if current is not None:
        link.symlink_to(current, target_is_directory=True)
