"""The batch on the wire: the operation, its metadata, its output. Source: reference 1.2, 1.4, 1.5.

Reads only. Output is generated only if the caller's field mask includes it, because inline results double the body.
"""

from __future__ import annotations

from batchctl.emulator.clock import timestamp
from batchctl.emulator.fieldmask import FieldMask
from batchctl.emulator.gemini.rows import results
from batchctl.emulator.job_store import Job
from batchctl.emulator.lifecycle import Progress, State
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.wire import RPC_CODES, JsonObject

API = "gemini"
_TYPES = {"generate": "GenerateContentBatch", "embed": "EmbedContentBatch"}
_TYPE_PREFIX = "type.googleapis.com/google.ai.generativelanguage.v1main."
"""`v1main`, although the path says v1beta."""


_ENDED_EARLY = frozenset({State.CANCELLED, State.EXPIRED})


def operation(store: Store, job: Job, settings: Settings, now: int, mask: FieldMask) -> JsonObject:
    """The operation as `get` returns it, with inline results."""
    progress = job.progress(settings, now)
    reply = _frame(job, progress)
    wanted = mask.wants("metadata", "output") or mask.wants("response")
    output = output_of(store, job, settings, now) if wanted else None
    if output is not None:
        reply["metadata"]["output"] = output
        if progress.state is State.SUCCEEDED:
            reply["response"] = {"@type": f"{_TYPE_PREFIX}{_TYPES[job.kind]}Output", **output}
    return reply


def list_entry(job: Job, settings: Settings, now: int, *, stale: bool) -> JsonObject:
    """The operation as `list` returns it: without inline results, but with the name of a result file."""
    reply = _frame(job, job.progress(settings, now))
    if job.input_file is not None and has_results(job, settings, now):
        reply["metadata"]["output"] = {"responsesFile": result_file(job)}
    return stale_stats(reply, job) if stale else reply


def stale_stats(reply: JsonObject, job: Job) -> JsonObject:
    """The same operation with the stats from its creation. Source: reference 1.5."""
    count = str(job.request_count)
    stats = {"requestCount": count, "pendingRequestCount": count}
    return {**reply, "metadata": {**reply["metadata"], "batchStats": stats}}


def batch_of(job: Job, progress: Progress) -> JsonObject:
    """The batch object. Inline requests are not echoed."""
    batch: JsonObject = {"model": job.model}
    if job.display_name is not None:
        batch["displayName"] = job.display_name
    if job.input_file is not None:
        batch["inputConfig"] = {"fileName": job.input_file}
    changed = max(job.updated, *(moment for moment in (progress.started, progress.ended) if moment), job.created)
    batch |= {"createTime": timestamp(job.created), "updateTime": timestamp(changed)}
    if progress.ended is not None:
        batch["endTime"] = timestamp(progress.ended)
    if job.priority is not None:
        batch["priority"] = job.priority
    return batch | {"batchStats": _stats(job, progress), "state": f"BATCH_STATE_{progress.state}", "name": job.name}


def has_results(job: Job, settings: Settings, now: int) -> bool:
    """Whether the job has output: a succeeded one all rows, one that ended early the processed ones; for six weeks."""
    progress = job.progress(settings, now)
    if progress.ended is None or now >= progress.ended + settings.result_lifetime:
        return False
    return progress.state is State.SUCCEEDED or (progress.state in _ENDED_EARLY and bool(job.served))


def output_of(store: Store, job: Job, settings: Settings, now: int) -> JsonObject | None:
    """The output union, the same for both kinds of job; None without output."""
    if not has_results(job, settings, now):
        return None
    if job.input_file is not None:
        return {"responsesFile": result_file(job)}
    return {"inlinedResponses": {"inlinedResponses": list(results(store, job))}}


def result_file(job: Job) -> str:
    """The name of the result file, which is longer than the Files API allows for uploaded files."""
    return f"files/batch-{job.name.removeprefix('batches/')}"


def _frame(job: Job, progress: Progress) -> JsonObject:
    metadata = {"@type": f"{_TYPE_PREFIX}{_TYPES[job.kind]}", **batch_of(job, progress)}
    reply: JsonObject = {"name": job.name, "metadata": metadata}
    if progress.done:
        reply["done"] = True
    error = _error(job, progress)
    if error is not None:
        reply["error"] = {"code": error[0], "message": error[1]}
    return reply


def _error(job: Job, progress: Progress) -> tuple[int, str] | None:
    """Captures show code 13 for a cancelled job, where the documentation promises 1; the code of EXPIRED is unknown."""
    short = job.name.removeprefix("batches/")
    match progress.state:
        case State.CANCELLED:
            return RPC_CODES["INTERNAL"], "Batch was cancelled."
        case State.FAILED:
            return job.course.error or (RPC_CODES["INTERNAL"], f"Batch {short} failed without error.")
        case State.EXPIRED:
            return RPC_CODES["DEADLINE_EXCEEDED"], f"Batch {short} expired before it finished."
        case _:
            return None


def _stats(job: Job, progress: Progress) -> JsonObject:
    """Counts as strings, without zeros; while the job runs they grow with time."""
    match progress.state:
        case State.SUCCEEDED:
            served, failed = job.request_count, job.failed_count
        case State.FAILED:
            served, failed = job.request_count, job.request_count
        case State.CANCELLED | State.EXPIRED:
            served, failed = job.served or 0, job.served_failed or 0
        case State.RUNNING:
            served, failed = int(job.request_count * progress.share), int(job.failed_count * progress.share)
        case _:
            served, failed = 0, 0
    counts = {
        "requestCount": job.request_count,
        "successfulRequestCount": served - failed,
        "failedRequestCount": failed,
        "pendingRequestCount": job.request_count - served,
    }
    return {name: str(count) for name, count in counts.items() if count}
