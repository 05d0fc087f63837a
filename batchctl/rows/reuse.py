"""A copy of collected results under another attempt, for work that is not bought again.

Owns how such a folder comes into being. Its rows are the same bytes; its manifest says whose they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from batchctl.disk.private_files import make_folder
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.rows.folder import (
    MANIFEST_FILE,
    folder_name,
    free_folder,
    job_folder,
    new_folder,
    results_errors,
)
from batchctl.rows.kept import FAULTS, REUSED_FROM, check_rows, fault_words, read_manifest, write_manifest
from batchctl.rows.raw_files import link_or_copy


def copy_results(root: Path, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
    """Put a copy of collected results where those of an attempt lie; gives the path. Raises ResultsError.

    Files are linked where the disk can: no rows are ever written in place. Repeating it is harmless.
    """
    job, origin = job_folder(root, key.job), root / source
    with results_errors(job):
        found = _read_whole(origin)
        make_folder(job)
        target = free_folder(job, folder_name(key, digest), lambda folder: _source_of(folder) == source)
        with new_folder(target) as part:
            for file in sorted(origin.iterdir()):
                if file.name != MANIFEST_FILE and file.is_file() and not file.is_symlink():
                    link_or_copy(file, part / file.name)
            was = {"path": source, "job": found["job"], "attempt": found["attempt"], "remote": found["remote"]}
            number = {"job": key.job, "attempt": key.attempt, "shard": key.shard, "digest": digest}
            write_manifest(part, {**found, **number, "marks": dict(marks), REUSED_FROM: was})
    return f"{key.job}/{target.name}"


def _read_whole(origin: Path) -> Mapping[str, Json]:
    try:
        found = read_manifest(origin)
        check_rows(origin, found)
    except FAULTS as error:
        raise ResultsError(
            f"the results in {origin} cannot be used again: {fault_words(error)}",
            code=ErrorCode.RESULTS_MISSING,
            hint="run the command again: it uses the results that are complete then",
        ) from error
    return found


def _source_of(folder: Path) -> Json:
    try:
        return read_manifest(folder)[REUSED_FROM]["path"]
    except FAULTS:
        return None  # not a copy, or damaged: never written into
