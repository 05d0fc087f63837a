"""Errors of a shared state. They name its address, never the private copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import ApiError, BatchctlError, StateError


@contextmanager
def place_errors(address: str) -> Iterator[None]:
    """Turn ApiError into StateError: without its state, a run must not go on to the next job."""
    try:
        yield
    except ApiError as error:
        raise StateError(
            f"the state {address} cannot be used: {error.message}",
            code=ErrorCode.STATE_UNREACHABLE,
            hint=error.hint or "run the command again",
            details=error.details,
        ) from error


@contextmanager
def naming(address: str, copy: Path) -> Iterator[None]:
    """Errors raised inside name the address in place of the private copy."""
    try:
        yield
    except BatchctlError as error:
        error.message = error.message.replace(f"the state file {copy}", f"the state {address}")
        error.message = error.message.replace(str(copy), address)
        error.hint = error.hint.replace(str(copy), address)
        error.args = (error.message,)
        raise


def lease_lost(address: str, reason: str) -> StateError:
    """The error for a process that may no longer write."""
    return StateError(
        f"the lock on the state {address} was lost: {reason}",
        code=ErrorCode.LOCK_LOST,
        hint="nothing more was sent; run the command again: it continues from what was written",
    )


def unprotected(address: str) -> StateError:
    """The error for a server without preconditions."""
    return StateError(
        f"the server of {address} ignores preconditions, so two writers could overwrite each other",
        code=ErrorCode.STATE_UNPROTECTED,
        hint="use a bucket at Cloud Storage, the emulator of batchctl, or a local state",
    )


def invalid_lock(address: str, reason: str) -> StateError:
    """The error for a lock object that batchctl did not write."""
    return StateError(
        f"the lock {address}.lock is not valid: {reason}",
        code=ErrorCode.STATE_CORRUPT,
        hint="if no batchctl uses this state, delete the object; the state itself is unchanged",
    )
