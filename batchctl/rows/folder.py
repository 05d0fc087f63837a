"""The results folder's layout, and its faults as ResultsErrors.

Owns names and paths: nothing that comes from outside may lead out of the folder.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from batchctl.disk.safe_open import UnsafeFile, hold_open, is_there, open_folder
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ResultsError
from batchctl.model.keys import AttemptKey
from batchctl.model.pattern import Pattern

RESULTS_FILE = "results.jsonl"
MANIFEST_FILE = "manifest.json"
CURRENT = "current"
MANIFEST_FORMAT = "batchctl/results-manifest/v1"
MOST_BYTES = 2**20
"""Of a manifest; none of ours comes near it."""

_ASKS_EFFECTIVE = os.access in os.supports_effective_ids
_JOB = Pattern(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DIGEST = Pattern(r"d[0-9]+:([0-9a-f]{8})[0-9a-f]*")
_FOLDER = Pattern(r"[0-9a-f]{8}-[0-9]+(\.[0-9]+)?(-[0-9]+)?")


def job_folder(results: Path, job: str) -> Path:
    """Where a job's results lie. Raises ResultsError (`ResultsOutside`) for anything but a folder in there."""
    if not _JOB.fullmatch(job):
        raise outside(results / "…", f"{job!r} is not the name of a job")
    folder = results / job
    with results_errors(folder), suppress(FileNotFoundError), open_folder(folder):
        pass
    return folder


@contextmanager
def open_job_folder(results: Path, job: str) -> Iterator[Path]:
    """Where a job's results lie, kept open: see `hold_open`. Raises ResultsError, as `job_folder` does."""
    with ExitStack() as stack:
        with results_errors(results):
            stack.enter_context(hold_open(results))
        folder = job_folder(results, job)
        with results_errors(folder):
            stack.enter_context(hold_open(folder))
        yield folder


def require_writable(results: Path) -> None:
    """Raise ResultsError if files cannot be made in the results folder, or if it cannot be made itself."""
    folder = results.absolute()
    with results_errors(results):
        while True:
            try:
                with open_folder(folder) as handle:
                    is_writable = os.access(".", os.W_OK | os.X_OK, dir_fd=handle, effective_ids=_ASKS_EFFECTIVE)
                break
            except FileNotFoundError:
                folder = folder.parent
        if not is_writable:
            number = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(number, os.strerror(number), str(folder))


def folder_name(key: AttemptKey, digest: str) -> str:
    """The name of an attempt's folder: `<digest8>-<attempt>`, and the shard where there are several."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise ResultsError(
            f"not a digest: {digest!r}", code=ErrorCode.RESULTS_OUTSIDE, hint="the state holds a broken digest"
        )
    shard = f".{key.shard}" if key.shard else ""
    return f"{match[1]}-{key.attempt}{shard}"


def shard_folder_name(key: AttemptKey, digest: str, shards: int) -> str:
    """The name of the folder with the results of one shard; of an attempt without shards, its own."""
    name = folder_name(key, digest)
    return f"{name}.0" if shards > 1 and key.shard == 0 else name


def folders_in(results: Path) -> Iterator[Path]:
    """The folders that `collect` may have made, by job and name."""
    if not results.is_dir():
        return
    for job in sorted(results.iterdir()):
        if job.is_dir() and not job.is_symlink():
            yield from sorted(found for found in job.iterdir() if is_folder_name(found.name) and not found.is_symlink())


def free_folder(job: Path, base: str, is_own: Callable[[Path], bool]) -> Path:
    """The first folder of this name that does not exist or `is_own`: another one is never written into."""
    target, number = job / base, 1
    while is_there(target) and not is_own(target):
        number += 1
        target = job / f"{base}-{number}"
    return target


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A new folder, which takes the place of `target` at the end, durably. If anything fails, nothing of it is left."""
    import shutil  # it loads what reads archives

    from batchctl.disk.private_files import make_folder, sync_folder

    part = target.parent / f".{target.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        make_folder(part)
        yield part
        sync_folder(part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def is_folder_name(name: str) -> bool:
    """Whether `collect` may have given a folder this name."""
    return _FOLDER.fullmatch(name) is not None


def outside(path: Path, reason: str) -> ResultsError:
    """The error for a path that leads out of the results folder."""
    return ResultsError(
        f"{path} leads out of the results folder: {reason}",
        code=ErrorCode.RESULTS_OUTSIDE,
        hint="remove it; batchctl writes results only below spec.results of the stack file",
    )


@contextmanager
def results_errors(path: Path) -> Iterator[None]:
    """Turn OSError into ResultsError."""
    try:
        yield
    except OSError as error:
        raise _from_os(path, error) from error


def _from_os(path: Path, error: OSError) -> ResultsError:
    if isinstance(error, UnsafeFile) and error.errno == errno.ELOOP:
        return outside(Path(error.filename), "it is a symbolic link")
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            code, reason, hint = ErrorCode.RESULTS_DISK_FULL, "the disk is full", "free some space"
        case errno.EROFS:
            code, reason, hint = ErrorCode.RESULTS_READ_ONLY, "the file system is read-only", "make it writable"
        case errno.EACCES | errno.EPERM:
            code, reason, hint = (
                ErrorCode.RESULTS_PERMISSION,
                "permission denied",
                "make the folder writable for this user",
            )
        case _:
            named = error.filename not in {None, str(path)}
            words = f"{error.filename}: {error.strerror}" if named else error.strerror or str(error)
            code, reason, hint = ErrorCode.RESULTS_FAILED, words, "look at the disk and the folder"
    return ResultsError(
        f"results in {path} cannot be read or written: {reason}",
        code=code,
        hint=f"{hint}, then run the command again; no remote job is deleted before its results are kept",
    )
