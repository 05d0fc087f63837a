"""The jobs whose answers a job uses: a copy of merged results has no ledger of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from batchctl.rows.bucket.index import JobIndex, is_manifest
from batchctl.rows.bucket.mirror import Mirror, Wants
from batchctl.rows.segments import source_of


def bring_with_sources(mirror: Mirror, job: str, wants: Callable[[JobIndex], Wants]) -> None:
    """Get files of a job, and of those whose results it has a copy of. Raises ResultsError."""
    index = mirror.index(job)
    mirror.bring(job, wants(index))
    for other in sorted(set(_sources(index)) - {job, ""}):
        mirror.bring(other, wants(mirror.index(other)))


def _sources(index: JobIndex) -> Iterator[str]:
    for path, file in index.files.items():
        if is_manifest(path) and file.text is not None:
            try:
                yield source_of(json.loads(file.text))[0]
            except (ValueError, AttributeError, RecursionError):
                continue  # the reader of the manifest reports it
