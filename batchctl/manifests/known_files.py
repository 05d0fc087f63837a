"""Files of manifests that need not be read: those of a former reading of this process, and those of a known form.

The result of a file depends on its bytes, on its paths, and on the settings of the reading: the stack file as far as it
concerns jobs, and the permissions of the operator. Only a file without errors, whose jobs depend on no other file, is
known: a chain or a local file of rows is read again each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from operator import add, sub
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import astuple

from batchctl.manifests.builder import Document
from batchctl.manifests.fault_list import FileFaults
from batchctl.manifests.manifest_files import ManifestFile
from batchctl.manifests.needs import Need
from batchctl.model.desired import DesiredJob
from batchctl.model.locations import Diagnostic, Location
from batchctl.model.sources import InlineRows, RemoteSource, Source, UnknownSource, UploadedFile

if TYPE_CHECKING:  # it imports this module
    from batchctl.manifests.file_forms import FileForms


class KnownManifest(Struct, frozen=True):
    """One manifest of a file."""

    name: str
    place: Location
    """Of the name, for a name that appears twice."""
    job: DesiredJob
    needs: tuple[Need, ...]


class Sizes(Struct, frozen=True):
    """Sums that have a limit for all files together."""

    variables: int = 0
    """Characters that references to variables have expanded to."""
    matrix_values: int = 0
    """Values of the jobs of all matrices."""
    matrix_characters: int = 0
    """Characters of these values."""

    def __bool__(self) -> bool:
        return bool(self.variables or self.matrix_values or self.matrix_characters)

    def plus(self, other: Sizes) -> Sizes:
        """The sums of both."""
        return Sizes(*map(add, astuple(self), astuple(other)))

    def minus(self, former: Sizes) -> Sizes:
        """The growth since former sums."""
        return Sizes(*map(sub, astuple(self), astuple(former)))


class KnownFile(Struct, frozen=True):
    """The result of a file without errors."""

    manifests: tuple[KnownManifest, ...]
    warnings: tuple[Diagnostic, ...]
    sizes: Sizes


class _Reading(FileFaults, kw_only=True):
    """A file that is being read."""

    file: ManifestFile
    manifests: list[KnownManifest] = field(default_factory=list)
    last: Document | None = None
    """The document of the last manifest."""
    stands_alone: bool = True
    documents: int = 0
    sizes: Sizes = field(default_factory=Sizes)


class KnownFiles:
    """Finds known files, and notes what is read. For one reading of a stack after the other."""

    def __init__(self) -> None:
        self._remembers = False
        self._forms: FileForms | None = None
        self._settings: bytes | None = None
        self._former: dict[str, tuple[bytes, KnownFile]] = {}
        self._present: dict[str, tuple[bytes, KnownFile]] = {}
        self._open: dict[str, _Reading] = {}

    def remember(self) -> None:
        """Keep what is read in memory, because further readings follow in this process."""
        self._remembers = True

    def begin(self, settings: Callable[[], bytes], forms: FileForms | None) -> None:
        """Begin a reading with the settings of this hash. Without forms, nothing is known or noted."""
        present = settings() if forms is not None and self._remembers else None
        self._former = self._present if present is not None and present == self._settings else {}
        self._forms, self._settings, self._present, self._open = forms, present, {}, {}

    def find(self, file: ManifestFile) -> KnownFile | None:
        """The result of a file; None: it has to be read."""
        if self._forms is None:
            return None
        if self._settings is None:
            return self._forms.find(file)
        content = _content(file)
        former = self._former.get(file.path)
        if former is not None and former[0] == content:
            self._present[file.path] = former
            return former[1]
        found = self._forms.find(file)
        if found is not None and all(_stands_alone(manifest.job.source) for manifest in found.manifests):
            self._present[file.path] = (content, found)
        return found

    def open(self, file: ManifestFile) -> FileFaults:
        """Start to note what a file gives."""
        reading = self._open[file.path] = _Reading(file=file)
        return reading

    def faults_of(self, path: str) -> FileFaults | None:
        """Where the faults of an open file are noted."""
        return self._open.get(path)

    def composed(self, path: str, documents: int, sizes: Sizes) -> None:
        """Note the number of documents of an open file, and their sizes."""
        reading = self._open[path]
        reading.documents, reading.sizes = documents, sizes
        self._close(reading)

    def note(self, document: Document, job: DesiredJob | None, needs: tuple[Need, ...]) -> None:
        """Note a manifest of an open file."""
        reading = self._open.get(document.path)
        if reading is None:
            return
        if job is None:
            reading.is_sound = False
        else:
            reading.manifests.append(KnownManifest(job.name, document.place, job, needs))
            reading.last = document
            reading.stands_alone &= _stands_alone(job.source)
        self._close(reading)

    def _close(self, reading: _Reading) -> None:
        """Keep an open file once all of its documents were read."""
        if not reading.is_sound:
            del self._open[reading.file.path]
        elif len(reading.manifests) == reading.documents:
            del self._open[reading.file.path]
            self._keep(reading)

    def _keep(self, reading: _Reading) -> None:
        if self._forms is None:
            return
        known = KnownFile(tuple(reading.manifests), tuple(reading.warnings), reading.sizes)
        if self._settings is not None and reading.stands_alone:
            self._present[reading.file.path] = (_content(reading.file), known)
        if reading.last is not None and len(known.manifests) == 1:
            self._forms.learn(reading.file, reading.last, known)


def _content(file: ManifestFile) -> bytes:
    """A hash of all that a file is read from."""
    place = "\0".join((file.shown, str(file.folder), ""))
    return hashlib.sha256(place.encode("utf-8", "surrogateescape") + file.data).digest()


def _stands_alone(source: Source) -> bool:
    """Whether a job's rows are in its manifest, or where batchctl does not read them."""
    return isinstance(source, InlineRows | UploadedFile | RemoteSource | UnknownSource)
