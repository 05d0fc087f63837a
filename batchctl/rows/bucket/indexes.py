"""The indexes of all jobs at one address, as they were read or written last."""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from msgspec import Struct, structs

from batchctl.model.errors import ApiError, NotFound, ResultsError
from batchctl.model.keys import JOB_NAME
from batchctl.model.state_objects import ABSENT, ResultObjects, Version, ignores_preconditions
from batchctl.rows.bucket.errors import changed_by_others, foreign, not_an_index, place_errors, taken, unprotected
from batchctl.rows.bucket.index import FORMAT, INDEX, IndexedFile, JobIndex, is_object_name
from batchctl.rows.bucket.objects import why_not_same

_READERS = 16
"""Indexes that are read at the same time."""
_WRITER_BYTES = 8
_LONGEST = 64 * 2**20
"""Bytes of an index: none of batchctl's comes near."""


class _Known(Struct, frozen=True):
    """An index as it was read or written last."""

    index: JobIndex
    generation: str


class Indexes:
    """Reads and replaces indexes. Those of one job may be used by one thread at a time. Methods raise ResultsError."""

    def __init__(self, objects: ResultObjects, stack: str, uid: str) -> None:
        """`uid` is the short one."""
        self._objects = objects
        self._stack, self._uid = stack, uid
        self._writer = secrets.token_hex(_WRITER_BYTES)
        self._known: dict[str, _Known] = {}
        self._faults: dict[str, ResultsError] = {}
        self._listed: dict[str, Version] = {}
        self._is_probed = False

    @property
    def address(self) -> str:
        return self._objects.address

    def refresh(self) -> None:
        """List the bucket, and read the indexes that have changed."""
        with place_errors(self.address):
            listed = dict(self._objects.list())
            found = {job: version for name, version in listed.items() if (job := _job_of(name)) is not None}
            changed = {job: one for job, one in found.items() if self._generation(job) != one.generation}
            if changed:
                with ThreadPoolExecutor(min(_READERS, len(changed))) as pool:
                    list(pool.map(self._read, changed, changed.values()))
        for job in self._known.keys() - found.keys():
            del self._known[job]
        self._faults = {job: error for job, error in self._faults.items() if job in found}
        self._listed = listed

    def refresh_job(self, job: str) -> None:
        """Read the index of one job."""
        with place_errors(self.address):
            version = self._objects.find(f"{job}/{INDEX}")
            if version.generation != self._generation(job):
                self._read(job, version)

    def all(self) -> Mapping[str, JobIndex]:
        """Those that can be used, by job."""
        return {job: known.index for job, known in sorted(self._known.items()) if job not in self._faults}

    def faults(self) -> Mapping[str, str]:
        """The jobs whose index cannot be used, with the reason."""
        return {job: error.message for job, error in sorted(self._faults.items())}

    def of(self, job: str) -> JobIndex:
        """The index of a job; one without files if there is none. Raises also if it cannot be used."""
        if job in self._faults:
            raise self._faults[job]
        known = self._known.get(job)
        return known.index if known is not None else JobIndex(FORMAT, job, self._stack, self._uid)

    def why_seen(self, file: IndexedFile) -> str | None:
        """Why the object of a file was not the right one when it was last seen; None if it was.

        An object that the last list lacks is asked for: it may be newer than the list.
        """
        if file.object not in self._listed:
            with place_errors(self.address):
                self._listed[file.object] = self._objects.find(file.object)
        return why_not_same(file, self._listed[file.object])

    def unused(self) -> Mapping[str, int]:
        """The objects of the last list that are in the folder of a job, and in no index, with their bytes."""
        if self._faults:
            return {}  # their objects are not known
        used = {file.object for known in self._known.values() for file in known.index.files.values()}
        found = {name: version.size for name, version in sorted(self._listed.items()) if name not in used}
        return {name: size for name, size in found.items() if is_object_name(name)}

    def write(self, index: JobIndex) -> None:
        """Replace the index of a job by a newer version. Raises also if another process has replaced it."""
        name, known = f"{index.job}/{INDEX}", self._known.get(index.job)
        newer = structs.replace(index, serial=index.serial + 1, writer=self._writer)
        self.probe()
        with place_errors(self.address):
            expected = ABSENT if known is None else known.generation
            version = self._objects.put(name, io.BytesIO(newer.encode()), expected)
        if version is None:
            raise changed_by_others(f"{self.address}{name}")
        self._known[index.job] = _Known(newer, version.generation)

    def rename(self, job: str, to: str) -> bool:
        """Let a job's results have another job's name; False if there are none.

        Objects keep their names. After a crash in between both indexes are there, and the next call goes on.
        """
        self.refresh_job(job)
        self.refresh_job(to)
        source, target = self.of(job), self.of(to)
        if job not in self._known:
            return False
        if to in self._known and target.files != source.files:
            raise taken(f"{self.address}{to}/")
        if to not in self._known:
            self.write(structs.replace(source, job=to))
        with place_errors(self.address), suppress(NotFound):
            self._objects.delete(f"{job}/{INDEX}")
        del self._known[job]
        return True

    def probe(self) -> None:
        """Raise unless results can be written, and the server keeps its promise. Asks once."""
        with place_errors(self.address):
            if not self._is_probed and ignores_preconditions(self._objects):
                raise unprotected(self.address)
        self._is_probed = True

    def _generation(self, job: str) -> str | None:
        return self._known[job].generation if job in self._known else None

    def _read(self, job: str, version: Version) -> None:
        """Read an index, in this version or a newer one, or forget it if there is none. Raises ApiError."""
        name = f"{job}/{INDEX}"
        for is_last in (False, False, True):
            if version.size > _LONGEST or version.generation == ABSENT:
                break
            try:
                self._learn(job, b"".join(self._objects.read(name, version)), version)
            except ApiError:
                # Another process may have replaced it.
                if is_last:
                    raise
                version = self._objects.find(name)
            else:
                return
        if version.generation != ABSENT:
            self._learn(job, b"", version)
            return
        self._known.pop(job, None)
        self._faults.pop(job, None)

    def _learn(self, job: str, content: bytes, version: Version) -> None:
        address = f"{self.address}{job}/{INDEX}"
        self._faults.pop(job, None)
        try:
            index = JobIndex.parse(content, job)
        except ValueError as error:
            index = JobIndex(FORMAT, job, self._stack, self._uid)
            self._faults[job] = not_an_index(address, str(error))
        if (index.stack, index.uid) != (self._stack, self._uid):
            self._faults[job] = foreign(address, index.stack, index.uid)
        self._known[job] = _Known(index, version.generation)


def _job_of(name: str) -> str | None:
    """The job that an object is the index of; None for other objects."""
    job, _, rest = name.partition("/")
    return job if rest == INDEX and JOB_NAME.fullmatch(job) else None
