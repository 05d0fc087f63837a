"""Collected results, for the `results` command.

Owns the reading of what `results` wrote. Never writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from batchctl.disk.safe_open import open_stream, read_start
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.stack import LINE_BYTES
from batchctl.rows.files import LOCAL, Files
from batchctl.rows.folder import CURRENT, MANIFEST_FILE, MOST_BYTES, RESULTS_FILE, job_folder, outside, results_errors

_LONGEST = 4 * LINE_BYTES
"""Bytes of a row: what a line of the API's may have by default, several times."""


class Gaps(Struct, frozen=True):
    """Where collected results and their input did not fit together."""

    missing: int
    """Input rows without a result; 0 also where the input was not known."""
    unmatched: int
    """Results that match no input row, or whose row has another answer."""
    anonymous: int = 0
    """Results that nothing distinguishes."""
    verdicts: Mapping[str, int] = field(default_factory=dict)
    """Rows by the code of their verdict; empty in results that an earlier release collected."""


def find_current(results: Path, job: str, files: Files = LOCAL) -> Path | None:
    """The folder of a job's good results; None when nothing was collected yet.

    Raises ResultsError when `current` leads somewhere else.
    """
    folder = job_folder(results, job)
    current = folder / CURRENT
    with results_errors(current):
        if not current.is_dir():
            return None
        found = current.resolve()
        if not files.has(found / RESULTS_FILE):
            return None
        if found.parent != folder.resolve():
            raise outside(current, f"it points at {found}")
    return found


def read_attempt(folder: Path) -> int | None:
    """The attempt of a folder's results; None if its manifest does not have it."""
    found = _member(folder, "attempt")
    return found if isinstance(found, int) else None


def read_digest(folder: Path) -> str | None:
    """The digest of the work that a folder has the results of; None if its manifest does not have it."""
    found = _member(folder, "digest")
    return found if isinstance(found, str) else None


def _member(folder: Path, name: str) -> Json:
    try:
        return json.loads(read_start(folder / MANIFEST_FILE, MOST_BYTES))[name]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_results(folder: Path, seen: Callable[[bytes], object] = len) -> Iterator[dict[str, Json]]:
    """The rows of a collected folder, streamed, in input order; each line is passed to `seen`. Raises ResultsError."""
    path = folder / RESULTS_FILE
    with results_errors(path), open_stream(path) as stream:
        number = 0
        while raw := stream.readline(_LONGEST + 1):
            number += 1
            if len(raw) > _LONGEST:
                # Nothing that was collected is that long; a file of zeros takes no room in a checkout.
                raise _damaged(f"{path}, line {number} is longer than {_LONGEST} bytes")
            seen(raw)
            yield parse_row(path, number, raw)


def read_gaps(folder: Path) -> Gaps:
    """The gaps in the manifest of a collected folder. Raises ResultsError."""
    path = folder / MANIFEST_FILE
    with results_errors(path), open_stream(path) as stream:
        raw = stream.read(MOST_BYTES)
    try:
        rows = json.loads(raw)["rows"]
        missing, unmatched, anonymous = rows["missing"] or 0, rows["unmatched"], rows.get("anonymous", 0)
        verdicts = dict(rows.get("verdicts", {}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(f"{path} is not the manifest of collected results") from error
    if not all(isinstance(number, int) for number in (missing, unmatched, anonymous, *verdicts.values())):
        raise _damaged(f"{path} holds something else than numbers of rows")
    return Gaps(missing, unmatched, anonymous, verdicts)


def parse_row(path: Path, number: int, raw: bytes) -> dict[str, Json]:
    """The row in a line of a results file. Raises ResultsError."""
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"{path}, line {number} is not a result row") from error
    if not isinstance(row, dict):
        raise _damaged(f"{path}, line {number} is not a result row")
    return row


def _damaged(message: str) -> ResultsError:
    return ResultsError(
        message,
        code=ErrorCode.RESULTS_CORRUPT,
        hint="restore the folder from a copy, or move it away and collect again while the remote job exists",
    )
