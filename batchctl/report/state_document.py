"""The `state` commands as documents: `batchctl/state-…/v1` (schemas/), without the tokens of attempts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from batchctl.model.events import Event
from batchctl.model.json_value import Json
from batchctl.model.keys import AttemptKey
from batchctl.model.observed import RemoteJob
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.states import Phase
from batchctl.report.describe_document import attempt_fields, event_fields, recorded_fields

NOT_REBUILT = (
    "the history of events",
    "why a job was cancelled, and that it must not be retried",
    "that a job was released, or was being removed",
    "when a job was first seen running, if the API does not report it, and when one was found gone or deleted",
    "uploaded files that could be used again",
    "the input of the digest of work that the manifests have changed since",
    "that a job was bound to another account, where its remote job is gone or was not collected",
    "imported jobs, unless their results are collected or the manifest names them",
    "the list of the rows that a short job was sent, until its results are collected",
    "a former name, unless results were collected under it",
)
"""Facts that neither a mark nor the results folder contains."""
UNANSWERED_CALLS = (
    "create calls in flight: a job that no list shows yet would be bought again,"
    " so wait a few minutes before the next `apply`"
)
"""Facts that are lost with an unreadable state."""


class StateReport(Struct, frozen=True):
    """The record of a whole stack."""

    stack: str
    recorded: Recorded
    phases: Mapping[str, Phase]
    """By job, from the record alone."""


class JobRecord(Struct, frozen=True):
    """The record of one job."""

    stack: str
    job: RecordedJob
    phase: Phase
    events: tuple[Event, ...]


class RebuildReport(Struct, frozen=True):
    """The sources of a rebuilt state."""

    stack: str
    jobs: tuple[RecordedJob, ...]
    left_out: tuple[RemoteJob, ...]
    faults: tuple[str, ...]
    """Collected folders that cannot be used, with the reason."""
    aside: Path | str | None
    """Where the old file is."""
    calls_known: bool
    """Whether the old file listed the create calls in flight."""

    @property
    def not_rebuilt(self) -> tuple[str, ...]:
        """The facts that cannot be restored."""
        return NOT_REBUILT if self.calls_known else (UNANSWERED_CALLS, *NOT_REBUILT)

    @property
    def unsettled(self) -> tuple[AttemptKey, ...]:
        """The create calls without a reply that were kept."""
        return tuple(one.key for job in self.jobs for one in job.attempts if one.intent is not None)


def state_list_document(report: StateReport) -> dict[str, Json]:
    """`batchctl/state-list/v1`."""
    recorded = report.recorded
    return {
        "format": "batchctl/state-list/v1",
        "stack": report.stack,
        "lineage": recorded.lineage or None,
        "serial": recorded.serial,
        "jobs": [_job(recorded.jobs[name], report.phases[name]) for name in sorted(recorded.jobs)],
    }


def state_show_document(record: JobRecord) -> dict[str, Json]:
    """`batchctl/state-show/v1`."""
    attempts: list[Json] = [{**attempt_fields(attempt), "tree": dict(attempt.tree)} for attempt in record.job.attempts]
    return {
        "format": "batchctl/state-show/v1",
        "stack": record.stack,
        "job": record.job.name,
        "phase": record.phase.value,
        "formerNames": list(record.job.row.former_names),
        "recorded": recorded_fields(record.job),
        "attempts": attempts,
        "events": [event_fields(event) for event in record.events],
    }


def rebuild_document(report: RebuildReport) -> dict[str, Json]:
    """`batchctl/state-rebuild/v1`."""
    jobs: list[Json] = [
        {
            "job": job.name,
            "attempts": len(job.attempts),
            "collected": sum(attempt.results is not None for attempt in job.attempts),
        }
        for job in report.jobs
    ]
    left_out: list[Json] = [
        {"job": remote.mark.key.job if remote.mark else None, "remote": remote.name, "state": remote.state}
        for remote in report.left_out
    ]
    return {
        "format": "batchctl/state-rebuild/v1",
        "stack": report.stack,
        "jobs": jobs,
        "leftOut": left_out,
        "unusable": list(report.faults),
        "unsettled": [{"job": key.job, "attempt": key.attempt, "shard": key.shard} for key in report.unsettled],
        "notRebuilt": list(report.not_rebuilt),
        "keptAside": None if report.aside is None else str(report.aside),
    }


def lock_document(stack: str, holder: Mapping[str, Json] | None) -> dict[str, Json]:
    """`batchctl/state-lock/v1`."""
    return {"format": "batchctl/state-lock/v1", "stack": stack, "holder": None if holder is None else dict(holder)}


def _job(job: RecordedJob, phase: Phase) -> dict[str, Json]:
    return {
        "job": job.name,
        "phase": phase.value,
        "provider": job.row.provider,
        "model": job.row.model,
        "current": job.row.current,
        "released": job.row.released_time is not None,
        "formerNames": list(job.row.former_names),
        "attempts": [attempt_fields(attempt) for attempt in job.attempts],
    }
