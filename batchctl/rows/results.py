"""The results folder: what was collected, kept durably and sorted by input position.

Owns how a folder comes into being: whole or not at all. Implements ResultStore.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from batchctl.disk.private_files import create_file, make_folder, sync_folder
from batchctl.disk.safe_open import is_there, read_start
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import Json
from batchctl.model.errors import ResultsError
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports import Collected, KnownInput, ResultItem
from batchctl.model.times import rfc3339
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.arrivals import Fate
from batchctl.rows.counting import ResultCount, without_position
from batchctl.rows.expectation import Expectations
from batchctl.rows.folder import (
    CURRENT,
    MANIFEST_FILE,
    MANIFEST_FORMAT,
    MOST_BYTES,
    RESULTS_FILE,
    folder_name,
    is_folder_name,
    job_folder,
    outside,
    results_errors,
)
from batchctl.rows.join import join_for
from batchctl.rows.kept import write_manifest
from batchctl.rows.reuse import copy_results
from batchctl.rows.spool import Spool

_RAW = "raw-"
"""The start of the names of files with lines that were too long to be read."""


class ResultsFolder:
    """Implements ResultStore below one folder, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def collect(
        self,
        key: AttemptKey,
        digest: str,
        remote: RemoteJob,
        items: Iterable[ResultItem],
        known: KnownInput | None,
        marks: Mapping[str, Json],
    ) -> Collected:
        """Write all items durably under `<job>/<digest8>-<attempt>/`, sorted by input position.

        The same remote job's results replace what lies there; another remote job's results are never overwritten,
        they get a folder of their own beside them. Raises ResultsError, and whatever `items` raises.
        """
        job = job_folder(self._root, key.job)
        base = folder_name(key, digest)
        with results_errors(job):
            make_folder(job)
            target = _target(job, base, remote)
            part = job / f".{target.name}.part"
            _remove(part)
            try:
                make_folder(part)
                collected = _write(part, f"{key.job}/{target.name}", items, known, _facts(key, digest, remote, marks))
                _put_in_place(part, target)
            finally:
                _remove(part)
            return collected

    def reuse(self, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
        """Put a copy of collected results where those of an attempt lie; gives its path. Raises ResultsError."""
        return copy_results(self._root, key, digest, source, marks)

    def point_current(self, job: str, path: str) -> None:
        """Let `<job>/current` point at a collected folder; results that somebody took away are not pointed at.

        Costs one look when it points there already. Raises ResultsError.
        """
        folder = job_folder(self._root, job)
        owner, _, name = path.partition("/")
        if owner != job or not is_folder_name(name):
            raise outside(self._root / path, f"it is not a collected folder of {job}")
        current = folder / CURRENT
        with results_errors(folder):
            is_right = current.is_symlink() and str(current.readlink()) == name
            if is_right or not (folder / name).is_dir():
                return
            new = folder / f".{CURRENT}.new"
            new.unlink(missing_ok=True)
            new.symlink_to(name, target_is_directory=True)
            new.replace(current)
            sync_folder(folder)

    def rename_job(self, job: str, to: str) -> bool:
        """Rename a job's folder; False if there is none. Raises ResultsError, also if the new name exists."""
        source, target = job_folder(self._root, job), job_folder(self._root, to)
        with results_errors(source):
            if not source.is_dir():
                return False
            if is_there(target):
                hint = "move it away: those are the results of an earlier job of that name"
                raise ResultsError(f"{target} already exists", code=ErrorCode.RESULTS_FAILED, hint=hint)
            source.rename(target)
            sync_folder(self._root)
        return True


def _target(job: Path, base: str, remote: RemoteJob) -> Path:
    """The first folder that is free or holds this remote job's results already."""
    target, number = job / base, 1
    while is_there(target) and _remote_in(target) != (str(remote.account), remote.name):
        number += 1
        target = job / f"{base}-{number}"
    return target


def _remote_in(folder: Path) -> tuple[Json, Json] | None:
    try:
        manifest = json.loads(read_start(folder / MANIFEST_FILE, MOST_BYTES))
        return manifest["account"], manifest["remote"]
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return None  # not a folder of ours, or damaged: never written into


def _write(
    part: Path, path: str, items: Iterable[ResultItem], known: KnownInput | None, facts: Mapping[str, Json]
) -> Collected:
    with (
        _temporary(part / ".input") as aside,
        _temporary(part / ".expected") as expected,
        Spool(part / ".arrived") as spool,
    ):
        expectations = Expectations(expected)
        join = join_for(known, aside, expectations)
        counts = ResultCount()
        for number, arrived in enumerate(items):
            item = arrived if arrived.aside is None else _kept_aside(part, arrived, arrived.aside, number)
            join.add(item)
            spool.add(item, expectations.place(item.request))
            counts.add(item)
        settled = join.settle()
        anonymous = spool.count_anonymous(without_position(settled))
        written = spool.write_sorted(part / RESULTS_FILE, settled, join, expectations)
    verdicts = written.verdicts
    ok, came, missing = verdicts[RowVerdict.OK], verdicts.total(), settled.missing
    if missing:
        verdicts[RowVerdict.NO_RESULT] = missing
    unmatched, tokens = settled.fates.count(Fate.UNMATCHED), counts.tokens(settled)
    by_code = {code.value: verdicts[code] for code in RowVerdict if verdicts[code]}
    anonymous = anonymous if came > 1 else 0
    collected = Collected(path, ok, came - ok, missing, unmatched, anonymous, tokens, by_code)
    rows = {"ok": ok, "failed": came - ok, "missing": missing, "unmatched": unmatched, "anonymous": anonymous}
    size = (part / RESULTS_FILE).stat().st_size
    sums = {"sha256": written.sha256, "bytes": size}
    found = {"rows": {**rows, "verdicts": by_code}, "tokens": tokens, **written.usage.facts(), **sums}
    write_manifest(part, {**facts, **found})
    sync_folder(part)
    return collected


@contextmanager
def _temporary(path: Path) -> Iterator[BinaryIO]:
    with create_file(path) as stream:
        yield stream
    path.unlink()


def _kept_aside(part: Path, item: ResultItem, content: BinaryIO, number: int) -> ResultItem:
    """An item whose line was too long to be read, with its bytes in a file of their own."""
    name = f"{_RAW}{number}"
    with create_file(part / name) as stream:
        shutil.copyfileobj(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    return replace(item, error={**(item.error or {}), "rawFile": name}, aside=None)


def _remove(part: Path) -> None:
    """Remove the remains of an interrupted collect, or a file in its place."""
    if part.is_symlink() or part.is_file():
        part.unlink()
    shutil.rmtree(part, ignore_errors=True)


def _put_in_place(part: Path, target: Path) -> None:
    if not is_there(target):
        part.rename(target)
    else:
        # A folder cannot be replaced by one call, its files can. The manifest comes last: it vouches for the rows.
        for name in (*(found.name for found in part.glob(f"{_RAW}*")), RESULTS_FILE, MANIFEST_FILE):
            (part / name).replace(target / name)
        sync_folder(target)
    sync_folder(target.parent)


def _facts(key: AttemptKey, digest: str, remote: RemoteJob, marks: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "format": MANIFEST_FORMAT,
        "job": key.job,
        "attempt": key.attempt,
        "shard": key.shard,
        "digest": digest,
        "account": str(remote.account),
        "remote": remote.name,
        "displayName": remote.display_name,
        "model": remote.model,
        "state": remote.state,
        "createTime": rfc3339(remote.create_time),
        "startTime": rfc3339(remote.start_time),
        "endTime": rfc3339(remote.end_time),
        "marks": dict(marks),
    }
