"""A copy of collected results under another attempt, for work that is not bought again.

Owns how such a folder comes into being. Its rows are the same bytes; its manifest says whose they were.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from batchctl.disk.private_files import create_file, make_folder, sync_folder
from batchctl.disk.safe_open import is_there, open_stream
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import Json
from batchctl.model.errors import ResultsError
from batchctl.model.keys import AttemptKey
from batchctl.rows.folder import (
    MANIFEST_FILE,
    folder_name,
    job_folder,
    results_errors,
)
from batchctl.rows.kept import FAULTS, REUSED_FROM, check_rows, fault_words, read_manifest, write_manifest


def copy_results(root: Path, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
    """Put a copy of collected results where those of an attempt lie; gives the path. Raises ResultsError.

    Files are linked where the disk can: no rows are ever written in place. Repeating it is harmless.
    """
    job, origin = job_folder(root, key.job), root / source
    with results_errors(job):
        found = _read_whole(origin)
        make_folder(job)
        target = _target(job, folder_name(key, digest), source)
        part = job / f".{target.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        try:
            make_folder(part)
            for file in sorted(origin.iterdir()):
                if file.name != MANIFEST_FILE and file.is_file() and not file.is_symlink():
                    _copy(file, part / file.name)
            was = {"path": source, "job": found["job"], "attempt": found["attempt"], "remote": found["remote"]}
            number = {"job": key.job, "attempt": key.attempt, "shard": key.shard, "digest": digest}
            write_manifest(part, {**found, **number, "marks": dict(marks), REUSED_FROM: was})
            sync_folder(part)
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
            sync_folder(job)
        finally:
            shutil.rmtree(part, ignore_errors=True)
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


def _target(job: Path, base: str, source: str) -> Path:
    """The first folder that is free, or was made as a copy of the same results."""
    target, number = job / base, 1
    while is_there(target) and _source_of(target) != source:
        number += 1
        target = job / f"{base}-{number}"
    return target


def _source_of(folder: Path) -> Json:
    try:
        return read_manifest(folder)[REUSED_FROM]["path"]
    except FAULTS:
        return None  # not a copy, or damaged: never written into


def _copy(file: Path, to: Path) -> None:
    try:
        os.link(file, to, follow_symlinks=False)
    except OSError:
        with open_stream(file) as stream, create_file(to) as copy:
            shutil.copyfileobj(stream, copy)
            copy.flush()
            os.fsync(copy.fileno())
