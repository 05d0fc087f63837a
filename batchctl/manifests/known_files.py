"""Files of manifests that were read before, in this process or by an earlier command.

The result of a file depends on its bytes, on its paths, and on the settings of the reading: the stack file as far as it
concerns jobs, the permissions of the operator, and this program. Only a file without errors, whose jobs depend on no
other file, is known: a chain or a local file of rows is read again each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import add, sub
from typing import NamedTuple, Protocol, TypeAlias

from msgspec import field

from batchctl.manifests.fault_list import FileFaults
from batchctl.manifests.manifest_files import ManifestFile
from batchctl.manifests.needs import Need
from batchctl.manifests.reading_settings import stored_settings
from batchctl.model.desired import DesiredJob
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.sources import InlineRows, RemoteSource, Source, UnknownSource, UploadedFile

LEAST_FILES = 50
"""The first files of a stack are read whether they are stored or not: a small stack needs no store."""


class KnownManifest(NamedTuple):
    """One manifest of a file."""

    name: str
    place: Location
    """Of the name, for a name that appears twice."""
    job: DesiredJob
    needs: tuple[Need, ...]


class Sizes(NamedTuple):
    """Sums that have a limit for all files together."""

    variables: int = 0
    """Characters that references to variables have expanded to."""
    matrix_values: int = 0
    """Values of the jobs of all matrices."""
    matrix_characters: int = 0
    """Characters of these values."""

    def plus(self, other: Sizes) -> Sizes:
        """The sums of both."""
        return Sizes(*map(add, self, other))

    def minus(self, former: Sizes) -> Sizes:
        """The growth since former sums."""
        return Sizes(*map(sub, self, former))


class KnownFile(NamedTuple):
    """The result of a file without errors."""

    manifests: tuple[KnownManifest, ...]
    warnings: tuple[Diagnostic, ...]
    sizes: Sizes


class FileStore(Protocol):
    """Keeps files between commands. Never raises because of what it finds or because it cannot write."""

    def find(self, file: ManifestFile, content: bytes) -> KnownFile | None:
        """The result of a file, by its path and the hash of its content."""
        ...

    def keep(self, path: str, content: bytes, file: KnownFile) -> None:
        """Keep a file in place of the former one with its path."""
        ...

    def close(self, paths: Iterable[str]) -> None:
        """End the reading, which has found files with these paths."""
        ...


OpenStore: TypeAlias = Callable[[bytes], FileStore]
"""Opens the store of a stack for a hash of the settings and of the program that it is read with."""


class _Reading(FileFaults):
    """A file that is being read."""

    content: bytes = b""
    manifests: list[KnownManifest] = field(default_factory=list)
    documents: int = 0
    sizes: Sizes = field(default_factory=Sizes)


class KnownFiles:
    """Finds files that were read before, and notes what is read. For one reading of a stack after the other."""

    def __init__(self, open_store: OpenStore | None = None) -> None:
        self._open_store = open_store
        self._store: FileStore | None = None
        self._remembers = False
        self._hash: Callable[[], bytes] | None = None
        self._settings: bytes | None = None
        self._former: dict[str, tuple[bytes, KnownFile]] = {}
        self._present: dict[str, tuple[bytes, KnownFile]] = {}
        self._open: dict[str, _Reading] = {}
        self._paths: list[str] = []

    def remember(self) -> None:
        """Keep what is read in memory, too, because further readings follow in this process."""
        self._remembers = True

    @contextmanager
    def reading(self, settings: Callable[[], bytes] | None) -> Iterator[None]:
        """While a stack is read with the settings of this hash; None: nothing is known of it, or noted."""
        present = settings() if settings is not None and self._remembers else None
        self._former = self._present if present is not None and present == self._settings else {}
        self._hash, self._settings, self._present, self._paths, self._open = settings, present, {}, [], {}
        try:
            yield
        finally:
            if self._store is not None:
                self._store.close(self._paths)
                self._store = None

    def find(self, file: ManifestFile) -> tuple[bytes, KnownFile | None]:
        """The hash of a file, and its former result; None: it has to be read."""
        content = _content(file)
        if self._hash is None:
            return content, None
        if len(self._paths) == LEAST_FILES and self._open_store is not None:
            self._store = self._open_store(stored_settings(self._hash()))
        self._paths.append(file.path)
        former = self._former.get(file.path)
        found = former[1] if former is not None and former[0] == content else None
        if found is None and self._store is not None:
            found = self._store.find(file, content)
        if found is not None:
            self._remember(file.path, content, found)
        return content, found

    def open(self, file: ManifestFile, content: bytes) -> FileFaults:
        """Start to note what a file gives."""
        reading = self._open[file.path] = _Reading(content=content)
        return reading

    def faults_of(self, path: str) -> FileFaults | None:
        """Where the faults of an open file are noted."""
        return self._open.get(path)

    def composed(self, path: str, documents: int, sizes: Sizes) -> None:
        """Note the number of documents of an open file, and their sizes."""
        reading = self._open[path]
        reading.documents, reading.sizes = documents, sizes
        self._close(path, reading)

    def note(self, path: str, place: Location, job: DesiredJob | None, needs: tuple[Need, ...]) -> None:
        """Note a manifest of an open file, whose name is at `place`."""
        reading = self._open.get(path)
        if reading is None:
            return
        if job is None or not _stands_alone(job.source):
            reading.is_sound = False
        else:
            reading.manifests.append(KnownManifest(job.name, place, job, needs))
        self._close(path, reading)

    def _close(self, path: str, reading: _Reading) -> None:
        """Keep an open file once all of its documents were read."""
        if not reading.is_sound:
            del self._open[path]
        elif len(reading.manifests) == reading.documents:
            del self._open[path]
            self._keep(path, reading)

    def _keep(self, path: str, reading: _Reading) -> None:
        if self._hash is None:
            return
        file = KnownFile(tuple(reading.manifests), tuple(reading.warnings), reading.sizes)
        self._remember(path, reading.content, file)
        if self._store is not None:
            self._store.keep(path, reading.content, file)

    def _remember(self, path: str, content: bytes, file: KnownFile) -> None:
        if self._settings is not None:
            self._present[path] = (content, file)


def _content(file: ManifestFile) -> bytes:
    """A hash of all that a file is read from."""
    place = "\0".join((file.shown, str(file.folder), ""))
    return hashlib.sha256(place.encode("utf-8", "surrogateescape") + file.data).digest()


def _stands_alone(source: Source) -> bool:
    """Whether a job's rows are in its manifest, or where batchctl does not read them."""
    return isinstance(source, InlineRows | UploadedFile | RemoteSource | UnknownSource)
