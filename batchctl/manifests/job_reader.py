"""Reads one manifest into one desired job.

The order of the steps: the matrix, variables, the stack's defaults, the schema, and then the checks that a schema
cannot make.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.manifests.builder import Document, JobBuilder, check_provider
from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import Faults, did_you_mean
from batchctl.manifests.known_files import KnownFile, Sizes
from batchctl.manifests.lists import LIST_KIND
from batchctl.manifests.matrix import MatrixReader
from batchctl.manifests.merge import merge, without_nulls
from batchctl.manifests.needs import Needs
from batchctl.manifests.nodes import Member, Members, Node, changed, find, plain, size, value_of
from batchctl.manifests.references import MOST_REPLACED, Replacer
from batchctl.manifests.request_defaults import check_request, respelled
from batchctl.manifests.schema import read_schema, with_part
from batchctl.manifests.schema_check import Checker
from batchctl.manifests.slim_jobs import SlimJobs
from batchctl.manifests.sources import SourceReader, without_rows
from batchctl.manifests.stack import StackReading
from batchctl.manifests.trust import Trust
from batchctl.model.desired import DesiredJob
from batchctl.model.json_value import Json
from batchctl.model.kinds import Kind, kind_of_rows
from batchctl.model.ports.row_reader import RowReader
from batchctl.model.quoting import shown
from batchctl.model.request.catalogue import ROOTS
from batchctl.model.request.spelling import spellings

if TYPE_CHECKING:  # few manifests ask for rows from the answers of another job
    from batchctl.manifests.chains import ChainReader

_KINDS = (*Kind, LIST_KIND)
_STACK_KIND = "Stack"
_SCHEMAS = {Kind.BATCH_JOB: "batchjob", Kind.EMBEDDINGS_BATCH_JOB: "embeddingsbatchjob"}

MOST_DEFAULT_VALUES = 500_000
MOST_DEFAULT_CHARACTERS = 64 * 1024 * 1024
"""Limits for the stack's defaults, counted once for every job."""


@cache
def job_schema(kind: Kind) -> Json:
    """The schema of one kind of job without `request`, which is checked like the requests of rows.

    Cached, and never changed.
    """
    place = ("properties", "spec", "properties", "request")
    return with_part(read_schema(_SCHEMAS[kind]), place, {"type": ["object", "null"]})


@cache
def _checker(kind: Kind) -> Checker:
    return Checker(job_schema(kind))


@cache
def _version_checker() -> Checker:
    """Checks `apiVersion` alone: without a known kind, there is no schema for the other fields."""
    version = read_schema(_SCHEMAS[Kind.BATCH_JOB])["properties"]["apiVersion"]
    return Checker({"type": "object", "properties": {"apiVersion": version}, "required": ["apiVersion"]})


def _with_extra_request(spec: Node) -> Node:
    """The spec with `extraRequest`, which is never checked, merged into `request`, which has been checked."""
    extra = find(spec, "extraRequest")
    if not isinstance(spec, Members) or not isinstance(extra, Members):
        return spec
    place = spec.entries["extraRequest"].key_location
    entries = {**spec.entries, "request": Member(place, merge(find(spec, "request"), extra))}
    return Members(spec.location, entries)


class JobReader:
    """Reads the manifests of one stack. Errors are collected, never raised."""

    def __init__(self, reading: StackReading, rows: RowReader, trust: Trust, faults: Faults) -> None:
        self._reading = reading
        self._rows = rows
        self._faults = faults
        self._replacer = Replacer(reading.variables, faults)
        self._read_jobs: dict[str, DesiredJob] = {}
        self.sources = SourceReader(
            rows, lambda: self._chains, trust, reading.folder, reading.shown_folder, faults, reading.line_bytes
        )
        self._defaults = {rows: self._defaults_of(rows) for rows in Kind}
        values, characters = (0, 0) if reading.defaults is None else size(reading.defaults)
        self._most_jobs = min(MOST_DEFAULT_VALUES // max(values, 1), MOST_DEFAULT_CHARACTERS // max(characters, 1))
        self._jobs = 0
        self._slim_jobs = SlimJobs()
        self.needs = Needs()
        self._matrices = MatrixReader(self._replacer, faults)

    @cached_property
    def _chains(self) -> ChainReader:
        from batchctl.manifests.chains import ChainReader
        from batchctl.manifests.template_reader import TemplateReader

        reading, templates = self._reading, TemplateReader(self._replacer, self._faults)
        return ChainReader(self._rows, reading.results, templates, self._faults, reading.line_bytes, self._read_jobs)

    def _defaults_of(self, rows: Kind) -> Node | None:
        """The stack's defaults without the members of `request` that only the other kind of rows has.

        Unknown fields are left out too: the check of the stack file reports them.
        """
        defaults = self._reading.defaults
        if not isinstance(defaults, Members):
            return defaults
        known = job_schema(rows)["properties"]["spec"]["properties"].keys()
        others = {key: member for key, member in defaults.entries.items() if key in known}
        request = find(defaults, "request")
        if not isinstance(request, Members):
            return Members(defaults.location, others)
        kept = {key: member for key, member in request.entries.items() if key in spellings(ROOTS[rows].name)}
        others.pop("request")
        if kept:
            others["request"] = Member(defaults.entries["request"].key_location, Members(request.location, kept))
        return Members(defaults.location, others)

    def documents(self, root: Node, path: str, folder: Path) -> list[Document]:
        """Prepare one document, or those of its matrix: variables are replaced, but for those of a template."""
        documents = []
        for one in self._matrices.expanded(root):
            replaced = self._replacer.replaced(one.root, keep=find(one.root, "spec", "src", "template"))
            document = Document(replaced, path, folder, one.expansion, one.jobs)
            self.needs.note_expansion(document.name, one.expansion)
            documents.append(document)
        return documents

    @property
    def sizes(self) -> Sizes:
        """The sums of all documents so far."""
        return Sizes(self._replacer.expanded, self._matrices.values, self._matrices.characters)

    def takes(self, file: KnownFile) -> bool:
        """Whether the jobs of a file that was read before keep to the limits of all files together.

        If so, they count as read.
        """
        jobs = self._jobs + len(file.manifests)
        if (jobs > self._most_jobs and self._reading.defaults is not None) or not self._takes(file.sizes):
            return False
        self._jobs = jobs
        for manifest in file.manifests:
            self.needs.note(manifest.name, manifest.needs)
            self.needs.note_expansion(manifest.name, manifest.job.expansion)
            self._read_jobs.setdefault(manifest.name, manifest.job)
        return True

    def _takes(self, sizes: Sizes) -> bool:
        """Whether variables and matrices keep to their limits with those of one more file, which are added if so."""
        if not sizes:
            return True
        sizes = self.sizes.plus(sizes)
        if sizes.variables > MOST_REPLACED or not self._matrices.allows(sizes.matrix_values, sizes.matrix_characters):
            return False
        self._replacer.expanded = sizes.variables
        self._matrices.values, self._matrices.characters = sizes.matrix_values, sizes.matrix_characters
        return True

    def read(self, document: Document) -> DesiredJob | None:
        """The job, or None if the document has errors, which go to the faults."""
        kind = self._kind(document.root)
        if kind is None:
            return None
        self._jobs += 1
        if self._jobs > self._most_jobs and self._reading.defaults is not None:
            message = (
                f"the defaults, merged into every job, have more than {MOST_DEFAULT_VALUES:,} values, or too much text"
            )
            place = self._reading.defaults.location
            self._faults.add(place, Code.TOO_LARGE, message, "move defaults that only some jobs need into those jobs")
            return None
        # A null in the job removes a default, so nulls are removed only after the merge.
        rows = self._row_kind(kind, document.root)
        root = changed(document.root, ("spec", "request"), lambda request: respelled(request, self._faults, rows))
        root = without_nulls(changed(root, ("spec",), lambda spec: merge(self._defaults[rows], spec)))
        sound = _checker(kind).check(changed(root, ("spec", "src"), without_rows), self._faults)
        request = find(root, "spec", "request")
        if isinstance(request, Members):
            config = self._reading.provider_of(self._setting(root, "provider"))
            sound &= check_request(request, rows, config.api if config else None, self._faults)
        if not sound:
            provider = find(root, "spec", "provider")
            if provider is not None:
                check_provider(provider, self._reading, self._faults)
            self.sources.check_file(find(root, "spec", "src"), document.folder)
            return None
        root = changed(root, ("spec",), _with_extra_request)
        job = JobBuilder(root, document, kind, self._reading, self.sources, self.needs, self._faults).build()
        if job is not None:
            job = self._slim_jobs.slim(job)
            self._read_jobs.setdefault(job.name, job)
        return job

    def _row_kind(self, kind: Kind, root: Node) -> Kind:
        """The kind of the job's rows, as far as it is known before the checks."""
        config = self._reading.provider_of(self._setting(root, "provider"))
        model = self._setting(root, "model")
        return kind_of_rows(config.api if config else None, kind, model if isinstance(model, str) else "")

    def _setting(self, root: Node, field: str) -> Json:
        """The plain value of a field of the spec, else the stack's default."""
        own = find(root, "spec", field)
        return value_of(find(self._reading.defaults, field) if own is None else own)

    def _kind(self, root: Node) -> Kind | None:
        if not isinstance(root, Members):
            hint = "apiVersion, kind, metadata and spec"
            self._faults.add(root.location, Code.WRONG_TYPE, "a manifest is a mapping", hint)
            return None
        node = find(root, "kind")
        value = None if node is None else plain(node)
        if node is not None and value is not None:
            if value in list(Kind):
                return Kind(value)
            self._report_kind(node, value)
        else:
            hint = (
                "if this file is not a manifest, list the folders of the manifests in spec.manifests of the stack file"
            )
            self._faults.add(root.location, Code.MISSING_FIELD, 'the field "kind" is missing', hint)
        is_to_be_mended = value not in (_STACK_KIND, LIST_KIND) and (value is not None or "apiVersion" in root.entries)
        if is_to_be_mended:
            _version_checker().check(root, self._faults)
        return None

    def _report_kind(self, node: Node, value: Json) -> None:
        """Report a kind that no manifest of a job has."""
        if not isinstance(value, str):
            self._faults.add(node.location, Code.WRONG_TYPE, '"kind" must be a string', f"one of: {', '.join(_KINDS)}")
        elif value == _STACK_KIND:
            hint = "list only the folders of this stack in its spec.manifests"
            self._faults.add(
                node.location, Code.UNKNOWN_KIND, "another stack's file is among this stack's manifests", hint
            )
        elif value == LIST_KIND:
            message, hint = "a list cannot be inside a list", "move its items into the outer list"
            self._faults.add(node.location, Code.UNKNOWN_KIND, message, hint)
        else:
            message = f"there is no kind {shown(value)}"
            self._faults.add(node.location, Code.UNKNOWN_KIND, message, did_you_mean(value, _KINDS))
