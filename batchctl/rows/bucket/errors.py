"""Errors of results in a bucket. They name its address, never the private copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, ResultsError


@contextmanager
def place_errors(address: str) -> Iterator[None]:
    """Turn ApiError into ResultsError: a bucket that fails says nothing about the remote job."""
    try:
        yield
    except ApiError as error:
        raise ResultsError(
            f"results at {address} cannot be read or written: {error.message}",
            code=ErrorCode.RESULTS_UNREACHABLE,
            hint=error.hint or "run the command again; no remote job is deleted before its results are kept",
            details=error.details,
        ) from error


def changed_by_others(address: str) -> ResultsError:
    """The error for an index that another process has replaced."""
    return ResultsError(
        f"{address} was changed by another process, so nothing was written to it",
        code=ErrorCode.RESULTS_CHANGED,
        hint="run the command again; machines that share results need a shared state, too (spec.state: gs://…)",
    )


def taken(address: str) -> ResultsError:
    """The error for the results of an earlier job of the same name."""
    return ResultsError(
        f"{address} already has results",
        code=ErrorCode.RESULTS_FAILED,
        hint="move them away: those are the results of an earlier job of that name",
    )


def not_an_index(address: str, reason: str) -> ResultsError:
    """The error for an index that batchctl did not write."""
    return ResultsError(
        f"{address} cannot be used: {reason}",
        code=ErrorCode.RESULTS_CORRUPT,
        hint="restore the object from an earlier version, or delete it and collect again while the remote job exists",
    )


def foreign(address: str, stack: str, uid: str) -> ResultsError:
    """The error for results of another stack."""
    return ResultsError(
        f"{address} belongs to the stack {stack}, uid {uid}",
        code=ErrorCode.RESULTS_FOREIGN,
        hint="give this stack another address in spec.results",
    )


class DamagedObject(ResultsError):
    """An object does not have the bytes that were written to it."""


def damaged(reason: str) -> DamagedObject:
    """The error for an object with other bytes."""
    return DamagedObject(
        reason,
        code=ErrorCode.RESULTS_CORRUPT,
        hint="restore that version of the object; otherwise `batchctl apply` collects the results again while the API "
        "has them",
    )


def unprotected(address: str) -> ResultsError:
    """The error for a server without preconditions."""
    return ResultsError(
        f"the server of {address} ignores preconditions, so two writers could mix their results",
        code=ErrorCode.RESULTS_UNPROTECTED,
        hint="use a bucket at Cloud Storage, the emulator of batchctl, or a local folder",
    )
