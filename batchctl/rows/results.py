"""The results folder: what was collected, kept durably and sorted by input position.

Owns how a folder comes into being: whole or not at all. Implements ResultStore.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from batchctl.disk.private_files import create_folder, make_folder, sync_folder
from batchctl.disk.safe_open import UnsafeFile, hold_open, is_there, open_folder, read_start
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ResultsError
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.ports.inputs import KnownInput
from batchctl.model.ports.providers import ResultItem
from batchctl.model.ports.results import Collected, CollectOptions
from batchctl.model.times import rfc3339
from batchctl.rows.collection import Collection
from batchctl.rows.earlier import Earlier
from batchctl.rows.folder import (
    CURRENT,
    MANIFEST_FILE,
    MANIFEST_FORMAT,
    MOST_BYTES,
    RESULTS_FILE,
    free_folder,
    is_folder_name,
    job_folder,
    open_job_folder,
    outside,
    results_errors,
    shard_folder_name,
)
from batchctl.rows.reuse import copy_results
from batchctl.rows.sent_file import opened_list

_STANDARD = CollectOptions()
_LAST = (RESULTS_FILE, MANIFEST_FILE)
"""Files of a folder that are replaced last, the manifest after all others: it vouches for them."""


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
        options: CollectOptions = _STANDARD,
    ) -> Collected:
        """Write all items durably under `<job>/<digest8>-<attempt>/`, sorted by input position.

        The results of an attempt that sent a part of the rows are merged with those of the attempts before it.
        The same remote job's results replace what lies there; another remote job's results are never overwritten,
        they get a folder of their own beside them. Raises ResultsError, and whatever `items` raises.
        """
        base = shard_folder_name(key, digest, options.shards)
        with open_job_folder(self._root, key.job) as job, results_errors(job):
            make_folder(job)
            with hold_open(job), ExitStack() as opened:
                token = str(marks.get("token", ""))
                sent = opened.enter_context(opened_list(self._root, key, digest, token, options.sent))
                owner = str(remote.account), remote.name
                target = free_folder(job, base, lambda folder: _remote_in(folder) == owner)
                part = job / f".{target.name}.part"
                if is_there(part):
                    _remove(part)
                earlier = Earlier(self._root, target, key, marks.get("uid"), options.choice, digest)
                work = Collection(part, known, sent, earlier, options)
                try:
                    create_folder(part)
                    with hold_open(part):
                        collected = work.write(f"{key.job}/{target.name}", items, _facts(key, digest, remote, marks))
                    _put_in_place(part, target)
                except BaseException:
                    _remove(part)
                    raise
                if options.is_current(collected) and not self._points_at(key.job, target.name):
                    if is_there(job / CURRENT):
                        # A power cut may leave the link without the folder: earlier results would be out of reach.
                        sync_folder(job)
                    _point_current(job, target.name)
                # For first results, one wait for the disk makes both names durable.
                sync_folder(job)
        return collected

    def reuse(self, key: AttemptKey, digest: str, source: str, marks: Mapping[str, Json]) -> str:
        """Put a copy of collected results where those of an attempt lie; gives its path. Raises ResultsError."""
        return copy_results(self._root, key, digest, source, marks)

    def point_current(self, job: str, path: str) -> None:
        """Let `<job>/current` point at a collected folder; results that somebody took away are not pointed at.

        Costs one look when it points there already. Raises ResultsError.
        """
        owner, _, name = path.partition("/")
        if owner != job or not is_folder_name(name):
            raise outside(self._root / path, f"it is not a collected folder of {job}")
        if self._points_at(job, name):
            return
        with open_job_folder(self._root, job) as folder, results_errors(folder):
            if (folder / name).is_dir():
                _point_current(folder, name)
                sync_folder(folder)

    def _points_at(self, job: str, name: str) -> bool:
        """Whether a job's `current` leads to this folder. Raises ResultsError if the job's own is a link."""
        folder = self._root / job
        with results_errors(folder):
            try:
                with open_folder(folder) as handle:
                    return os.readlink(CURRENT, dir_fd=handle) == name
            except UnsafeFile:
                raise
            except OSError:
                return False

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


def _remote_in(folder: Path) -> tuple[Json, Json] | None:
    try:
        manifest = json.loads(read_start(folder / MANIFEST_FILE, MOST_BYTES))
        return manifest["account"], manifest["remote"]
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return None  # not a folder of ours, or damaged: never written into


def _remove(part: Path) -> None:
    """Remove the remains of an interrupted collect, or a file in its place."""
    if part.is_symlink() or part.is_file():
        part.unlink()
    shutil.rmtree(part, ignore_errors=True)


def _point_current(job: Path, name: str) -> None:
    """Let `current` lead to a folder of the job; that is not durable yet."""
    new = job / f".{CURRENT}.new"
    new.unlink(missing_ok=True)
    new.symlink_to(name, target_is_directory=True)
    new.replace(job / CURRENT)


def _put_in_place(part: Path, target: Path) -> None:
    """Give the folder its name, which is not durable yet, or put its files into the one that is there."""
    if not is_there(target):
        part.rename(target)
    else:
        # A folder cannot be replaced by one call, its files can.
        names = sorted(found.name for found in part.iterdir() if found.name not in _LAST)
        for name in (*names, *_LAST):
            (part / name).replace(target / name)
        _remove(part)
        sync_folder(target)


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
