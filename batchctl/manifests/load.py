"""Loads a stack: the stack file and all its manifests.

It always reads the complete stack, whatever the scope of the command, because names have to be unique in the stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

from msgspec import Struct

from batchctl.manifests.builder import Document
from batchctl.manifests.compose import compose
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.file_forms import FileForms
from batchctl.manifests.job_reader import JobReader
from batchctl.manifests.known_files import KnownFiles, KnownManifest
from batchctl.manifests.lists import listed
from batchctl.manifests.manifest_files import STANDARD_INPUT, FileFinder, ManifestFile, read_stream
from batchctl.manifests.moves import check_moved
from batchctl.manifests.overrides import Overrides
from batchctl.manifests.reading_order import upstream_first
from batchctl.manifests.remote_names import remote_id
from batchctl.manifests.seen_files import SeenFiles
from batchctl.manifests.stack import StackReading, read_stack
from batchctl.manifests.trust import Trust, resolved
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.keys import Account
from batchctl.model.locations import Location
from batchctl.model.ports.row_reader import RowReader
from batchctl.model.quoting import shown
from batchctl.model.stack import Stack


def load_stack(
    stack_file: Path,
    *,
    overrides: Overrides,
    env: Mapping[str, str],
    trust: Trust,
) -> Stack:
    """The stack alone, for commands that need no manifests. Raises ManifestError and UsageError."""
    faults = Faults()
    reading = read_stack(stack_file, overrides=overrides, env=env, trust=trust, faults=faults)
    faults.raise_if_any()
    assert reading.stack is not None, "without errors there is a stack"
    return reading.stack


Item: TypeAlias = Document | KnownManifest
"""A manifest that has to be read, or that was read before."""


class Asked(Struct, frozen=True):
    """Manifests that the command line names besides the stack file, and what is known of all manifests."""

    filenames: Sequence[str] = ()
    """The paths of `-f`, relative to the working folder; `-` is standard input."""
    stdin: BinaryIO | None = None
    known: KnownFiles | None = None
    """Files that were read before."""
    seen: SeenFiles | None = None
    """Notes what the reading looks at."""


def load(
    stack_file: Path,
    asked: Asked,
    *,
    overrides: Overrides,
    env: Mapping[str, str],
    rows: RowReader,
    trust: Trust,
    faults: Faults | None = None,
) -> DesiredStack:
    """The stack and all its jobs; without those that have errors if `faults` drops these.

    Manifests below the paths of `-f` are read too, if they are in the stack's folder. Manifests of standard input
    replace those with the same names. Files that are known are not read again.

    Raises ManifestError with the errors of all files, and UsageError for a `--set` without `=`, and for a target that
    is missing or unknown.
    """
    faults = Faults() if faults is None else faults
    if asked.seen is not None:
        asked.seen.note(stack_file)
    reading = read_stack(stack_file, overrides=overrides, env=env, trust=trust, faults=faults)
    if asked.seen is not None and reading.price_list is not None:
        asked.seen.note(reading.price_list)
    known = KnownFiles() if asked.known is None else asked.known
    names: dict[str, Location] = {}
    reader = JobReader(reading, rows, trust, faults)
    # Standard input replaces manifests by their names, which are known only when all files are read.
    is_sure = reading.stack is not None and STANDARD_INPUT not in asked.filenames
    known.begin(partial(_settings, reading, trust), FileForms(reading, reader.sources) if is_sure else None)
    found = list(_Stream(reading, asked, reader, trust, faults, known).jobs(names))
    reader.needs.check(names, faults)
    check_moved(reading.moved, names, faults)
    _check_adopted(found, faults)
    faults.raise_if_any()
    assert reading.stack is not None, "without errors there is a stack"
    accounts = frozenset(reading.accounts.values())
    return DesiredStack(reading.stack, tuple(sorted(found, key=lambda job: job.name)), accounts, faults.warnings)


def _settings(reading: StackReading, trust: Trust) -> bytes:
    from batchctl.manifests.reading_settings import settings_of  # for processes that read manifests again and again

    return settings_of(reading, trust)


class _Stream(Struct, frozen=True):
    """Reads the manifests one after the other: the trees of all of them together would take most of the memory."""

    reading: StackReading
    asked: Asked
    reader: JobReader
    trust: Trust
    faults: Faults
    known: KnownFiles

    def jobs(self, names: dict[str, Location]) -> Iterator[DesiredJob]:
        """The sound jobs. The names of all manifests, sound or not, go to `names`."""
        for item in upstream_first(_unique(self._items(), names, self.faults)):
            job = item.job if isinstance(item, KnownManifest) else self._read(item)
            if job is not None:
                yield job

    def _read(self, document: Document) -> DesiredJob | None:
        path = document.path
        shown_file, file = document.root.location.file, self.known.faults_of(path)
        with self.faults.of_manifest(path, shown_file, file, document.cell):
            job = self.reader.read(document)
        self.known.note(document, job, () if job is None else self.reader.needs.of(job.name))
        return job

    def _items(self) -> Iterable[Item]:
        """All documents, without those that standard input replaces."""
        files = files_of(self.reading, self.asked, self.trust, self.faults)
        items = (item for file in files for item in self._items_of(file))
        return (
            _overridden([item for item in items if isinstance(item, Document)])
            if STANDARD_INPUT in self.asked.filenames
            else items
        )

    def _items_of(self, file: ManifestFile) -> Sequence[Item]:
        found = self.known.find(file)
        if found is not None and self.reader.takes(found):
            self.faults.repeat(file.path, file.shown, found.warnings)
            return found.manifests
        before = self.reader.sizes
        with self.faults.of_manifest(file.path, file.shown, self.known.open(file)):
            values = compose(file.data, file.shown, self.faults)
            roots = (one for value in values for one in listed(value, self.faults))
            documents = [one for root in roots for one in self.reader.documents(root, file.path, file.folder)]
        self.known.composed(file.path, len(documents), self.reader.sizes.minus(before))
        return documents


def files_of(reading: StackReading, asked: Asked, trust: Trust, faults: Faults) -> Iterator[ManifestFile]:
    """All files of manifests of a stack."""
    finder = FileFinder(
        reading.file, reading.shown_folder, reading.all_results, trust, faults, reading.price_list, asked.seen
    )
    for path, place in reading.manifests:
        yield from finder.find(path, place)
    for name in asked.filenames:
        # The stack's own folder means the complete stack: spec.manifests names its files.
        if name != STANDARD_INPUT and resolved(Path(name)) != reading.folder:
            yield from finder.find(Path(name), Location.without_position(f"-f {name}"))
    finder.warn_of_unread([path for path, _ in reading.manifests])
    if STANDARD_INPUT in asked.filenames and asked.stdin is not None:
        yield read_stream(asked.stdin, reading.folder)


def _overridden(items: Sequence[Document]) -> list[Document]:
    """Leave out the manifests that standard input replaces."""
    names = {item.name for item in items if item.path == STANDARD_INPUT} - {None}
    return [item for item in items if item.path == STANDARD_INPUT or item.name not in names]


def _unique(items: Iterable[Item], names: dict[str, Location], faults: Faults) -> Iterator[Item]:
    """The manifests; their names go to `names`. A name that appears twice is an error, and both are still checked."""
    for item in items:
        if item.name is not None:
            first = names.setdefault(item.name, item.place)
            if first is not item.place:
                message = f"the name {shown(item.name)} is taken"
                faults.add(item.place, Code.DUPLICATE_NAME, message, f"first at {first}", other=first)
        yield item


def _check_adopted(jobs: Iterable[DesiredJob], faults: Faults) -> None:
    """Report jobs that adopt the same remote job: it can have only one owner."""
    first: dict[tuple[Account, str], DesiredJob] = {}
    for job in jobs:
        if job.adopt is None:
            continue
        owner = first.setdefault((job.account, remote_id(job.adopt)), job)
        if owner is not job:
            message = f'"adopt" names {job.adopt}, which {owner.name} adopts too'
            hint = f"first at {owner.location}"
            faults.add(job.location, Code.DUPLICATE_NAME, message, hint, other=owner.location)
