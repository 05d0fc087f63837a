"""Jobs whose manifests differ in a few texts: the job of one manifest is a template for the others.

The texts that it knows are the name, the display name, labels, annotations, texts of rows, the source, and the place of
the results. A text with any other meaning is the same in all manifests of a form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from batchctl.manifests.job_reader import job_schema
from batchctl.manifests.manifest_files import ManifestFile
from batchctl.manifests.nodes import Node, Scalar
from batchctl.manifests.row_texts import RowTexts, row_texts, written_rows
from batchctl.manifests.schema_decision import Decision, decision_at
from batchctl.manifests.source_texts import SourceTexts, source_gaps, source_texts, written_source
from batchctl.manifests.sources import SourceReader
from batchctl.manifests.stack import StackReading
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Mark
from batchctl.model.locations import Location
from batchctl.model.request.problems import Path

_NAME, _DISPLAY_NAME = ("metadata", "name"), ("spec", "displayName")
_LABELS, _ANNOTATIONS = ("metadata", "labels"), ("metadata", "annotations")


class JobForm(Struct, frozen=True, eq=False):
    """A job as a template."""

    job: DesiredJob
    paths: tuple[Path, ...]
    """The place of each gap in the manifest."""
    checks: tuple[tuple[int, Decision], ...]
    """The gaps whose texts the schema restricts."""
    name: int
    """The gap of the name."""
    display_name: int | None
    labels: tuple[tuple[str, int], ...]
    """Names of labels with the gaps of their values."""
    annotations: tuple[tuple[str, int], ...]
    rows: RowTexts | None
    """The rows in the manifest; None if they are the same in all manifests of the form."""
    source: SourceTexts | None
    """The source, if it has to be read for each manifest."""

    def job_with(self, texts: Sequence[str], file: ManifestFile, location: Location) -> DesiredJob | None:
        """The job of a manifest with these texts; None if it has to be read as any other."""
        for gap, decide in self.checks:
            if not decide(Scalar(location, texts[gap], texts[gap])):
                return None
        changes: dict[str, Any] = {"name": texts[self.name], "path": file.path, "location": location}
        if self.display_name is not None:
            changes["display_name"] = texts[self.display_name]
            if Mark.find(texts[self.display_name]) is not None:
                return None
        if self.labels:
            changes["labels"] = {**self.job.labels, **{name: texts[gap] for name, gap in self.labels}}
        if self.annotations:
            changes["annotations"] = {**self.job.annotations, **{name: texts[gap] for name, gap in self.annotations}}
        for work in (
            {} if self.rows is None else self.rows.changes(self.job, texts),
            {} if self.source is None else self.source.changes(self.job, texts, file.folder),
        ):
            if work is None:
                return None
            changes.update(work)
        return replace(self.job, **changes)


def job_form(
    root: Node, job: DesiredJob, gaps: Sequence[Path], reading: StackReading, sources: SourceReader
) -> JobForm | None:
    """The form of a job's manifest, which has texts at the places `gaps`; None if it has none.

    The manifest has no error, no warning and no matrix, and needs no other job.
    """
    schema = job_schema(job.kind)
    rows, spec = written_rows(root, job, sources.rows), written_source(root, job)
    if _NAME not in gaps or job.sharding.is_asked:
        return None
    names = [path for path in gaps if path in (_NAME, _DISPLAY_NAME) or path[:2] in (_LABELS, _ANNOTATIONS)]
    used = {*names, *(() if rows is None else rows.gaps), *(() if spec is None else source_gaps(gaps))}
    paths = tuple(path for path in gaps if path in used)
    numbers = {path: number for number, path in enumerate(paths)}
    return JobForm(
        job,
        paths,
        checks=tuple((numbers[path], decision_at(schema, tuple(map(str, path)))) for path in names),
        name=numbers[_NAME],
        display_name=numbers.get(_DISPLAY_NAME),
        labels=tuple((str(path[-1]), numbers[path]) for path in names if path[:-1] == _LABELS),
        annotations=tuple((str(path[-1]), numbers[path]) for path in names if path[:-1] == _ANNOTATIONS),
        rows=None if rows is None else row_texts(rows, job, numbers, reading),
        source=None if spec is None else source_texts(spec, job, numbers, schema, reading, sources),
    )
