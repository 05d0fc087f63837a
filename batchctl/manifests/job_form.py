"""Jobs whose manifests differ in a few texts: the job of one manifest is a template for the others.

The texts that it knows are the name, the display name, labels, annotations, texts of rows, the source, and the place of
the results. A text with any other meaning is the same in all manifests of a form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.manifests.job_reader import job_schema
from batchctl.manifests.manifest_files import ManifestFile
from batchctl.manifests.nodes import Node
from batchctl.manifests.row_texts import RowTexts, row_texts, written_rows
from batchctl.manifests.schema_decision import Schema, text_decision_at
from batchctl.manifests.source_texts import SourceTexts, source_gaps, source_texts, written_source
from batchctl.manifests.sources import SourceReader
from batchctl.manifests.stack import StackReading
from batchctl.manifests.text_gaps import Reader
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Mark
from batchctl.model.locations import Location
from batchctl.model.request.problems import Path

_NAME, _DISPLAY_NAME = ("metadata", "name"), ("spec", "displayName")
_LABELS, _ANNOTATIONS = ("metadata", "labels"), ("metadata", "annotations")
_MOST_KNOWN = 1024

Gaps: TypeAlias = Mapping[Path, Reader | None]
"""The places of texts in a manifest, and what reads them."""
Check: TypeAlias = Callable[[str], bool]
"""Whether the schema allows a text."""


class NamedTexts(Struct, frozen=True, eq=False):
    """The labels or the annotations of a job as a template.

    Many manifests have the same ones: these are read and checked once, and are in memory once.
    """

    given: Mapping[str, str]
    """Those that are the same in all manifests of the form."""
    places: tuple[int, ...]
    """The gaps of their texts."""
    gaps: tuple[tuple[str, Reader | None, Check], ...]
    """Each gap with the name of its text."""
    known: dict[tuple[str, ...], Mapping[str, str] | None] = field(default_factory=dict)

    def of(self, written: Sequence[str]) -> Mapping[str, str] | None:
        """The texts by their names; None if the manifest has to be read as any other. `written`: as in the gaps."""
        key = tuple([written[place] for place in self.places])
        found = self.known.get(key)
        if found is None and key not in self.known:
            if len(self.known) >= _MOST_KNOWN:
                self.known.clear()
            found = self.known[key] = self._read(key)
        return found

    def _read(self, written: tuple[str, ...]) -> Mapping[str, str] | None:
        found = dict(self.given)
        for (name, read, is_allowed), shown in zip(self.gaps, written, strict=True):
            text = shown if read is None else read(shown)
            if text is None or not is_allowed(text):
                return None
            found[name] = text
        return found


class JobForm(Struct, frozen=True, eq=False):
    """A job as a template."""

    job: DesiredJob
    paths: tuple[Path, ...]
    """The place of each gap in the manifest."""
    readers: tuple[tuple[int, Reader], ...]
    """The gaps in which a text is not written as it is, but those of labels and annotations."""
    checks: tuple[tuple[int, Check], ...]
    """The gaps whose texts the schema restricts, but those of labels and annotations."""
    name: int
    """The gap of the name."""
    display_name: int | None
    labels: NamedTexts | None
    """None if they are the same in all manifests of the form. The same applies to annotations."""
    annotations: NamedTexts | None
    rows: RowTexts | None
    """The rows in the manifest; None if they are the same in all manifests of the form."""
    source: SourceTexts | None
    """The source, if it has to be read for each manifest."""

    def job_with(self, written: Sequence[str], file: ManifestFile, location: Location) -> DesiredJob | None:
        """The job of a manifest with this in its gaps; None if it has to be read as any other."""
        texts = list(written)
        for gap, read in self.readers:
            found = read(texts[gap])
            if found is None:
                return None
            texts[gap] = found
        for gap, is_allowed in self.checks:
            if not is_allowed(texts[gap]):
                return None
        changes: dict[str, Any] = {"name": texts[self.name], "path": file.path, "location": location}
        if self.display_name is not None:
            changes["display_name"] = texts[self.display_name]
            if Mark.find(texts[self.display_name]) is not None:
                return None
        for name, named in (("labels", self.labels), ("annotations", self.annotations)):
            if named is not None:
                changes[name] = named.of(written)
                if changes[name] is None:
                    return None
        work = {} if self.rows is None else self.rows.changes(self.job, texts)
        source = {} if self.source is None else self.source.changes(self.job, texts, file.folder)
        return None if work is None or source is None else replace(self.job, **changes, **work, **source)


def job_form(root: Node, job: DesiredJob, gaps: Gaps, reading: StackReading, sources: SourceReader) -> JobForm | None:
    """The form of a job's manifest, which has texts in the gaps; None if it has none.

    The manifest has no error, no warning and no matrix, and needs no other job.
    """
    schema = job_schema(job.kind)
    rows, spec = written_rows(root, job, sources.rows), written_source(root, job)
    if _NAME not in gaps or job.sharding.is_asked:
        return None
    names = [path for path in gaps if path in (_NAME, _DISPLAY_NAME) or path[:2] in (_LABELS, _ANNOTATIONS)]
    used = {*names, *(() if rows is None else rows.gaps), *(() if spec is None else source_gaps(list(gaps)))}
    paths = tuple(path for path in gaps if path in used)
    numbers = {path: number for number, path in enumerate(paths)}
    single = [path for path in paths if path[:2] not in (_LABELS, _ANNOTATIONS)]
    return JobForm(
        job,
        paths,
        readers=tuple((numbers[path], read) for path in single if (read := gaps[path]) is not None),
        checks=tuple((numbers[path], _check(schema, path)) for path in (_NAME, _DISPLAY_NAME) if path in numbers),
        name=numbers[_NAME],
        display_name=numbers.get(_DISPLAY_NAME),
        labels=_named(_LABELS, job.labels, numbers, gaps, schema),
        annotations=_named(_ANNOTATIONS, job.annotations, numbers, gaps, schema),
        rows=None if rows is None else row_texts(rows, job, numbers, reading),
        source=None if spec is None else source_texts(spec, job, numbers, schema, reading, sources),
    )


def _named(
    field: Path, given: Mapping[str, str], numbers: Mapping[Path, int], gaps: Gaps, schema: Schema
) -> NamedTexts | None:
    used = {number: path for path, number in numbers.items() if path[:-1] == field}
    texts = tuple((str(path[-1]), gaps[path], _check(schema, path)) for path in used.values())
    return NamedTexts(given, tuple(used), texts) if used else None


def _check(schema: Schema, path: Path) -> Check:
    return text_decision_at(schema, tuple(map(str, path)))
