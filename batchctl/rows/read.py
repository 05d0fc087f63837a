"""Collected results, for the `results` command.

Owns the reading of what `results` wrote. Never writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import Json
from batchctl.model.errors import ResultsError
from batchctl.rows.folder import CURRENT, RESULTS_FILE, job_folder, outside, results_errors


def find_current(results: Path, job: str) -> Path | None:
    """The folder of a job's good results; None when nothing was collected yet.

    Raises ResultsError when `current` leads somewhere else.
    """
    folder = job_folder(results, job)
    current = folder / CURRENT
    with results_errors(current):
        if not (current / RESULTS_FILE).is_file():
            return None
        found = current.resolve()
        if found.parent != folder.resolve():
            raise outside(current, f"it points at {found}")
    return found


def read_results(folder: Path) -> Iterator[dict[str, Json]]:
    """The rows of a collected folder, streamed, in input order. Raises ResultsError."""
    path = folder / RESULTS_FILE
    with results_errors(path), path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            yield _row(path, number, raw)


def _row(path: Path, number: int, raw: bytes) -> dict[str, Json]:
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, number) from error
    if not isinstance(row, dict):
        raise _damaged(path, number)
    return row


def _damaged(path: Path, number: int) -> ResultsError:
    return ResultsError(
        f"{path}, line {number} is not a result row",
        code=ErrorCode.RESULTS_CORRUPT,
        hint="restore the folder from a copy, or move it away and collect again while the remote job exists",
    )
