"""The job on the wire: the same resource in every reply. Reads only. Source: reference 3.1, 3.3, 5."""

from __future__ import annotations

from batchctl.emulator.clock import micro_timestamp
from batchctl.emulator.job_store import Job
from batchctl.emulator.lifecycle import Fate, Progress, State
from batchctl.emulator.settings import Settings
from batchctl.emulator.vertex.echo import normalised
from batchctl.emulator.vertex.messages import BATCH_PREDICTION_JOB
from batchctl.emulator.wire import RPC_CODES, JsonObject

FIELDS = frozenset(BATCH_PREDICTION_JOB.fields)
"""All fields of a job."""
NORMALISED = "normalised"
"""The member of a job's body that marks its echo as normalised; not a field of the API."""
_RAN_OUT = "The job did not finish within the maximum running time."
_FAILED = "A rule of the emulator fails this job."
_EXPORT = (RPC_CODES["PERMISSION_DENIED"], "Failed to export data. The output location cannot be written to.")
_CANCELLED = "The job was cancelled."


def resource(job: Job, settings: Settings, now: int, *, stale: bool = False) -> JsonObject:
    """The job at `now`; a stale one has the statistics from its creation."""
    progress = job.progress(settings, now)
    body = {name: value for name, value in job.body.items() if name != NORMALISED}
    reply: JsonObject = {"name": job.name, "displayName": job.display_name, "model": job.model, "modelVersionId": "1"}
    reply |= {name: normalised(value, name) for name, value in body.items()} if job.body.get(NORMALISED) else body
    if job.labels:
        reply["labels"] = dict(job.labels)
    reply["state"] = f"{job.state_prefix}{progress.state}"
    reply |= _times(job, progress)
    if progress.ended is not None:
        reply |= job.output
        error = _error(job, progress.state)
        if error is not None and "error" not in reply:
            reply["error"] = {"code": error[0], "message": error[1]}
        stats = _stats(job, progress.state, stale=stale)
        if stats and "completionStats" not in job.output:
            reply["completionStats"] = stats
    return reply


def _times(job: Job, progress: Progress) -> JsonObject:
    moments = (job.created, job.updated, progress.started, progress.ended, _asked(job, progress))
    times = {
        "createTime": job.created,
        "startTime": progress.started,
        "endTime": progress.ended,
        "updateTime": max(moment for moment in moments if moment is not None),
    }
    return {name: micro_timestamp(moment) for name, moment in times.items() if moment is not None}


def _asked(job: Job, progress: Progress) -> int | None:
    return job.asked if progress.state is State.CANCELLING else None


def _error(job: Job, state: State) -> tuple[int, str] | None:
    """Only FAILED and CANCELLED jobs have an error."""
    if state is State.CANCELLED:
        return RPC_CODES["CANCELLED"], _CANCELLED
    if state is not State.FAILED:
        return None
    limits = job.course.limits
    if job.course.error is None and limits is not None and job.course.running > limits.run:
        return RPC_CODES["DEADLINE_EXCEEDED"], _RAN_OUT
    usual = _EXPORT if job.course.fate is Fate.FAIL_EXPORT else (RPC_CODES["INTERNAL"], _FAILED)
    return job.course.error or usual


def _stats(job: Job, state: State, *, stale: bool) -> JsonObject:
    """Counts as strings, without zeros; -1 if the rows were never counted; none for a cancelled job."""
    if state is State.CANCELLED:
        return {}
    if not job.request_count:
        return {} if state is State.SUCCEEDED else {"incompleteCount": "-1"}
    served, failed = (0, 0) if stale else (job.served or 0, job.served_failed or 0)
    counts = {
        "successfulCount": served - failed,
        "failedCount": failed,
        "incompleteCount": job.request_count - served,
    }
    return {name: str(count) for name, count in counts.items() if count}
