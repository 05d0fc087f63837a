"""Remote jobs that share memory with their records: a list shows thousands of them in every pass."""

from __future__ import annotations

from sys import intern
from typing import TypeVar

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Mark
from batchctl.model.observed import RemoteJob

T = TypeVar("T")


def with_recorded_values(job: RemoteJob, attempt: RecordedAttempt) -> RemoteJob:
    """An equal remote job; what it has in common with its attempt is in memory once."""
    return replace(
        job,
        name=_one(job.name, attempt.remote),
        account=_one(job.account, attempt.account),
        mark=None if job.mark is None else _mark(job.mark, attempt),
        state=_one(job.state, attempt.state),
        model=intern(job.model),
        create_time=_one(job.create_time, attempt.create_time),
        start_time=_one(job.start_time, attempt.start_time),
        end_time=_one(job.end_time, attempt.end_time),
        rows=_one(job.rows, attempt.rows),
    )


def _mark(mark: Mark, attempt: RecordedAttempt) -> Mark:
    key, token = _one(mark.key, attempt.key), _one(mark.token, attempt.token)
    return Mark(intern(mark.stack), intern(mark.uid), key, mark.digest, token)


def _one(value: T, known: T | None) -> T:
    return known if known is not None and known == value else value
