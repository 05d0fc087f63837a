"""Errors of Cloud Storage and BigQuery, with hints that name the bucket or the table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batchctl.model.errors import ApiError, ApiStatus, NotFound, PermissionDenied

_WHO = "the principal (`batchctl doctor` shows who you are)"


def recoded(error: ApiStatus, *, hint: str, code: str | None = None) -> ApiStatus:
    """The same error with another hint, and another code where one is given."""
    return type(error)(
        error.message,
        http=error.http,
        status=error.status,
        code=code or error.code,
        hint=hint,
        details=error.details,
        retry_after=error.retry_after,
    )


@contextmanager
def naming_bucket(bucket: str, *roles: str, on_emulator: bool = False) -> Iterator[None]:
    """Errors raised inside name the bucket, and the roles that the operation needs."""
    missing = f"check that the bucket {bucket} and the object exist"
    if on_emulator:
        entry = f"`buckets: {{{bucket}: {{}}}}`"
        missing += f"; to create the bucket in the emulator, write {entry} in .emulator.yaml beside the stack file"
    with _naming(f"gs://{bucket}", " and ".join(roles), missing):
        yield


@contextmanager
def naming_table(place: str) -> Iterator[None]:
    """Errors raised inside name the table, and the role that is needed to read it."""
    with _naming(place, "roles/bigquery.dataViewer", f"check that the table {place} exists"):
        yield


@contextmanager
def _naming(place: str, roles: str, missing: str) -> Iterator[None]:
    try:
        yield
    except PermissionDenied as error:
        hint = f"{_WHO} needs {roles} on {place}, or it does not exist: the API answers both cases alike"
        raise recoded(error, hint=hint) from error
    except NotFound as error:
        raise recoded(error, hint=missing) from error


def http_of(error: ApiError) -> int | None:
    """The HTTP status of an error reply, with or without an error object in it; None when there was no reply.

    Failed reads and writes of an object's bytes are answered in plain text.
    """
    found = error.http if isinstance(error, ApiStatus) else error.details.get("http")
    return found if isinstance(found, int) else None
