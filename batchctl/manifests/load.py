"""Loads a stack: the stack file and all its manifests.

It always reads the complete stack, whatever the scope of the command, because names have to be unique in the stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from batchctl.manifests.builder import Document
from batchctl.manifests.compose import compose
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults
from batchctl.manifests.job_reader import JobReader
from batchctl.manifests.lists import listed
from batchctl.manifests.manifest_files import STANDARD_INPUT, FileFinder, ManifestFile, read_stream
from batchctl.manifests.moves import check_moved
from batchctl.manifests.reading_order import upstream_first
from batchctl.manifests.remote_names import remote_id
from batchctl.manifests.stack import StackReading, read_stack
from batchctl.manifests.trust import Trust, resolved
from batchctl.model.desired import DesiredJob, DesiredStack, Location, Stack
from batchctl.model.keys import Account
from batchctl.model.ports import RowReader
from batchctl.model.quoting import shown


def load_stack(
    stack_file: Path,
    *,
    set_values: Sequence[str],
    env: Mapping[str, str],
    trust: Trust,
    state_override: str | None,
) -> Stack:
    """The stack alone, for commands that need no manifests. Raises ManifestError and UsageError."""
    faults = Faults()
    reading = read_stack(
        stack_file, set_values=set_values, env=env, trust=trust, state_override=state_override, faults=faults
    )
    faults.raise_if_any()
    assert reading.stack is not None, "without errors there is a stack"
    return reading.stack


class Asked(Struct, frozen=True):
    """Manifests that the command line names besides the stack file."""

    filenames: Sequence[str] = ()
    """The paths of `-f`, relative to the working folder; `-` is standard input."""
    stdin: BinaryIO | None = None


def load(
    stack_file: Path,
    asked: Asked,
    *,
    set_values: Sequence[str],
    env: Mapping[str, str],
    rows: RowReader,
    trust: Trust,
    state_override: str | None,
    faults: Faults | None = None,
) -> DesiredStack:
    """The stack and all its jobs; without those that have errors if `faults` drops these.

    Manifests below the paths of `-f` are read too, if they are in the stack's folder. Manifests of standard input
    replace those with the same names.

    Raises ManifestError with the errors of all files, and UsageError for a `--set` without `=`.
    """
    faults = Faults() if faults is None else faults
    reading = read_stack(
        stack_file, set_values=set_values, env=env, trust=trust, state_override=state_override, faults=faults
    )
    reader = JobReader(reading, rows, trust, faults)
    names: dict[str, Location] = {}
    found = []
    # One after the other: the trees of all manifests together would take most of the memory.
    for document in upstream_first(_unique(_documents(reading, asked, reader, trust, faults), names, faults)):
        with faults.of_manifest(document.path, document.root.location.file):
            job = reader.read(document)
        found += [] if job is None else [job]
    reader.needs.check(names, faults)
    check_moved(reading.moved, names, faults)
    _check_adopted(found, faults)
    faults.raise_if_any()
    assert reading.stack is not None, "without errors there is a stack"
    accounts = frozenset(reading.accounts.values())
    return DesiredStack(reading.stack, tuple(sorted(found, key=lambda job: job.name)), accounts, faults.warnings)


def _documents(
    reading: StackReading, asked: Asked, reader: JobReader, trust: Trust, faults: Faults
) -> Iterable[Document]:
    """All documents, without those that standard input replaces."""
    documents = (
        document for file in _files(reading, asked, trust, faults) for document in _documents_of(file, reader, faults)
    )
    return _overridden(list(documents)) if STANDARD_INPUT in asked.filenames else documents


def _documents_of(file: ManifestFile, reader: JobReader, faults: Faults) -> list[Document]:
    with faults.of_manifest(file.path, file.shown):
        roots = (one for root in compose(file.data, file.shown, faults) for one in listed(root, faults))
        return [reader.document(root, file.path, file.folder) for root in roots]


def _files(reading: StackReading, asked: Asked, trust: Trust, faults: Faults) -> Iterator[ManifestFile]:
    finder = FileFinder(reading.file, reading.shown_folder, reading.results, trust, faults)
    for path, place in reading.manifests:
        yield from finder.find(path, place)
    for name in asked.filenames:
        # The stack's own folder means the complete stack: spec.manifests names its files.
        if name != STANDARD_INPUT and resolved(Path(name)) != reading.folder:
            yield from finder.find(Path(name), Location.without_position(f"-f {name}"))
    if STANDARD_INPUT in asked.filenames and asked.stdin is not None:
        yield read_stream(asked.stdin, reading.folder)


def _overridden(documents: Sequence[Document]) -> list[Document]:
    """Leave out the documents that standard input replaces."""
    names = {_name_of(document) for document in documents if document.path == STANDARD_INPUT} - {None}
    return [item for item in documents if item.path == STANDARD_INPUT or _name_of(item) not in names]


def _unique(documents: Iterable[Document], names: dict[str, Location], faults: Faults) -> Iterator[Document]:
    """The documents; their names go to `names`. A name that appears twice is an error, and both are still checked."""
    for document in documents:
        node = document.name
        if node is not None:
            name = str(node.value)
            first = names.setdefault(name, node.location)
            if first is not node.location:
                message = f"the name {shown(name)} is taken"
                faults.add(node.location, Code.DUPLICATE_NAME, message, f"first at {first}", other=first)
        yield document


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


def _name_of(document: Document) -> str | None:
    return None if document.name is None else str(document.name.value)
