"""Remote jobs that share memory with their records: a list shows thousands of them in every pass."""

from __future__ import annotations

from sys import intern

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.keys import Mark
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import known_value


def with_recorded_values(job: RemoteJob, attempt: RecordedAttempt) -> RemoteJob:
    """An equal remote job; what it has in common with its attempt is in memory once."""
    return replace(
        job,
        name=known_value(job.name, attempt.remote),
        account=known_value(job.account, attempt.account),
        mark=None if job.mark is None else _mark(job.mark, attempt),
        state=known_value(job.state, attempt.state),
        model=intern(job.model),
        create_time=known_value(job.create_time, attempt.create_time),
        start_time=known_value(job.start_time, attempt.start_time),
        end_time=known_value(job.end_time, attempt.end_time),
        rows=known_value(job.rows, attempt.rows),
    )


def _mark(mark: Mark, attempt: RecordedAttempt) -> Mark:
    key, token = known_value(mark.key, attempt.key), known_value(mark.token, attempt.token)
    return Mark(intern(mark.stack), intern(mark.uid), key, mark.digest, token)
