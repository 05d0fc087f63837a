"""Changes that a person makes to the record: `state mv` renames a job, `state rm` deletes its record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, UsageError
from batchctl.model.keys import JOB_NAME
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.writes import ForgetJob, SaveGhost, SavePast, Write
from batchctl.reconcile.forecast.learn import past_of
from batchctl.reconcile.view.readings import ghosts_of


def require_free_name(name: str, recorded: Recorded) -> None:
    """Raise UsageError unless a recorded job can be renamed to this name."""
    if not JOB_NAME.fullmatch(name):
        hint = "lower-case letters, digits and -, at most 40 characters"
        raise UsageError(f"{name!r} is not a name for a job", hint=hint)
    if name in recorded.jobs:
        raise UsageError(f"there is a job {name} in the state already", hint="choose another name")


def require_settled(jobs: Iterable[RecordedJob]) -> None:
    """Raise GuardError if a create call of one of the jobs has no known outcome: only the record knows its token."""
    for job in jobs:
        if any(attempt.intent is not None for attempt in job.attempts):
            message = f"{job.name} has a create call without a known outcome"
            raise GuardError(message, code=ErrorCode.UNSETTLED, hint="run `batchctl apply` first, or use --force")


def found_by_mark(job: RecordedJob) -> tuple[str, ...]:
    """The remote jobs that the next pass finds again by their marks once the record is deleted."""
    return tuple(
        attempt.remote
        for attempt in job.attempts
        if attempt.remote is not None and attempt.token and attempt.missed is None and not attempt.is_gone
    )


def forget_job(job: RecordedJob, now: datetime) -> list[Write]:
    """The writes that delete the record of a job. `now` is the local clock."""
    kept: list[Write] = [SaveGhost(ghost) for ghost in ghosts_of(job.attempts, now)]
    kept += [SavePast(past) for past in past_of(job.attempts, job.row.model)]
    return [ForgetJob(job.name), *kept]
