"""What the results folder tells of attempts: for a state that is lost.

Owns the reading of the manifests that `results` wrote. Takes nothing for collected that is not whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from batchctl.model.desired import Json
from batchctl.model.keys import Account, AttemptKey
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import RecordedAttempt
from batchctl.rows.folder import MANIFEST_FILE, RESULTS_FILE, is_folder_name, job_folder, results_errors
from batchctl.rows.results import MANIFEST_FORMAT

_DIGEST_AT = len("d1:")
_SHOWN_DIGITS = 8
_MOST_BYTES = 2**20
"""No manifest of ours comes near it."""


@dataclass(frozen=True)
class KeptResults:
    """One collected folder."""

    attempt: RecordedAttempt
    """As it was when it was collected, under the name of the folder that it lies in."""
    written_for: str
    """The job that it was collected for: another one when the job was renamed since."""
    stack: str
    uid: str
    """The short form."""


@dataclass(frozen=True)
class KeptFolder:
    """What one look at the results folder found."""

    kept: tuple[KeptResults, ...]
    faults: tuple[str, ...]
    """Folders that look like collected ones and cannot be used, each with the reason."""


def read_kept(results: Path) -> KeptFolder:
    """All collected results, each checked against its hash. Raises ResultsError when the folder cannot be read."""
    kept, faults = [], []
    with results_errors(results):
        for folder in _folders(results):
            try:
                kept.append(_read(folder))
            except (ValueError, KeyError, TypeError, RecursionError, FileNotFoundError) as error:
                faults.append(f"{folder.parent.name}/{folder.name}: {_words(error)}")
    return KeptFolder(tuple(kept), tuple(faults))


def has_results(results: Path, job: str, digest: str) -> bool:
    """Whether results of this very work, by the folder's name, were collected. Raises ResultsError."""
    folder = job_folder(results, job)
    shown = digest[_DIGEST_AT : _DIGEST_AT + _SHOWN_DIGITS]
    with results_errors(folder):
        return folder.is_dir() and any(
            found.name.startswith(f"{shown}-") and is_folder_name(found.name) and (found / MANIFEST_FILE).is_file()
            for found in folder.iterdir()
        )


def _folders(results: Path) -> Iterator[Path]:
    if not results.is_dir():
        return
    for job in sorted(results.iterdir()):
        if job.is_dir() and not job.is_symlink():
            yield from sorted(found for found in job.iterdir() if is_folder_name(found.name) and not found.is_symlink())


def _read(folder: Path) -> KeptResults:
    with (folder / MANIFEST_FILE).open("rb") as stream:
        found = json.loads(stream.read(_MOST_BYTES))
    if not isinstance(found, dict) or found["format"] != MANIFEST_FORMAT:
        raise ValueError("its manifest is of another format")
    with (folder / RESULTS_FILE).open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != found["sha256"]:
            raise ValueError("its results are not those that were collected")
    marks = _object(found["marks"])
    return KeptResults(_attempt(folder, found), _text(found["job"]), _text(marks["stack"]), _text(marks["uid"]))


def _attempt(folder: Path, found: Mapping[str, Json]) -> RecordedAttempt:
    job = folder.parent.name
    rows = _object(found["rows"])
    ok, failed, missing = _count(rows["ok"]), _count(rows["failed"]), rows["missing"]
    total = ok + failed + (0 if missing is None else _count(missing))
    return RecordedAttempt(
        key=AttemptKey(job, _count(found["attempt"]), _count(found["shard"])),
        account=Account.parse(_text(found["account"])),
        digest=_text(found["digest"]),
        token=_text(_object(found["marks"])["token"]),
        remote=_text(found["remote"]),
        state=_text(found["state"]),
        create_time=_time(found["createTime"]),
        start_time=_time(found["startTime"]),
        end_time=_time(found["endTime"]),
        rows=RowCounts(total, ok, failed),
        adopted=True,
        results=f"{job}/{folder.name}",
    )


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("its manifest is not one of ours")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("its manifest is not one of ours")
    return value


def _count(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("its manifest is not one of ours")
    return value


def _time(value: Json) -> datetime | None:
    if value is None:
        return None
    time = datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"its manifest lacks {error.args[0]!r}"
    if isinstance(error, FileNotFoundError):
        return f"{Path(str(error.filename)).name} is missing"
    return str(error)
