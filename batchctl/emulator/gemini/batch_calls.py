"""Batch calls other than create: get, list, cancel, delete, update. Source: reference 1.5, 1.6, 9."""

from __future__ import annotations

import re

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.faults import FaultKind
from batchctl.emulator.gemini.envelope import API, batch_of, list_entry, operation, stale_stats
from batchctl.emulator.gemini.messages import batch
from batchctl.emulator.gemini.rows import failed_rows
from batchctl.emulator.job_store import Job, change_job, find_job
from batchctl.emulator.lifecycle import Fate, share_done
from batchctl.emulator.paging import JobPage, page_of_jobs
from batchctl.emulator.proto import camel, read_message
from batchctl.emulator.wire import JsonObject, Refused, not_found

_JOB_ID = re.compile(r"[a-z0-9-]{1,64}")
_PAGE_SIZE = 50
_CHANGEABLE = frozenset({"displayName", "priority"})


def get_batch(exchange: Exchange) -> JsonObject:
    """The operation with its results."""
    exchange = exchange.as_it_was()
    job = _job(exchange)
    if job.deleted is not None:
        # The results were deleted with the job; its state is still known.
        return list_entry(job, exchange.settings, exchange.now, stale=False)
    reply = operation(exchange.store, job, exchange.settings, exchange.now, exchange.mask)
    return stale_stats(reply, job) if exchange.fault(FaultKind.STALE_STATS) else reply


def list_batches(exchange: Exchange) -> JsonObject:
    """One page, newest first, with both kinds of job; `{}` if the page is empty."""
    page = JobPage.asked(exchange, _PAGE_SIZE)
    if exchange.settings.list_filter_refused and exchange.request.param("filter"):
        raise Refused(400, "Filtering of batches is not supported.")
    exchange = exchange.as_it_was()
    jobs, token = page_of_jobs(exchange, API, page)
    stale = bool(jobs) and exchange.fault(FaultKind.STALE_STATS) is not None
    entries = [list_entry(job, exchange.settings, exchange.now, stale=stale) for job in jobs]
    reply: JsonObject = {"operations": entries} if entries else {}
    return reply if token is None else {**reply, "nextPageToken": token}


def cancel_batch(exchange: Exchange) -> JsonObject:
    """Cancel the job; there is no state in between. Rows processed by then stay in its output."""
    job = _job(exchange)
    if job.progress(exchange.settings, exchange.now).done:
        if exchange.settings.cancel_finished_refused:
            raise Refused(400, f"{job.name} is already finished.", name="FAILED_PRECONDITION")
        return {}
    if job.cancelled is None and job.course.fate is not Fate.CANCEL_LOST:
        line = job.timeline(exchange.settings)
        slow = job.course.running if job.course.fate is Fate.CANCEL_SLOW else 0
        effect = min(exchange.now + slow, line.deadline)
        served = int(job.request_count * share_done(line, effect))
        failed = failed_rows(exchange.store, job, served)
        change_job(exchange.store, job, {"cancelled": effect, "served": served, "served_failed": failed})
    return {}


def delete_batch(exchange: Exchange) -> JsonObject:
    """Delete the job: list and get no longer show it, its results are deleted, and it stops."""
    job = _job(exchange)
    if exchange.settings.delete_active_refused and not job.progress(exchange.settings, exchange.now).done:
        raise Refused(400, f"{job.name} is not finished.", name="FAILED_PRECONDITION")
    change_job(exchange.store, job, {"deleted": exchange.now})
    for blob in (job.input_blob, job.results_blob):
        if blob is not None:
            exchange.store.drop_unused(blob)
    return {}


def update_batch(exchange: Exchange) -> JsonObject:
    """Change the display name or the priority; the reply is the batch itself, not an operation."""
    job = _job(exchange)
    kind = {"updateGenerateContentBatch": "generate", "updateEmbedContentBatch": "embed"}[exchange.params["verb"]]
    if kind != job.kind:
        raise Refused(400, f"{job.name} is not a batch of this kind.")
    given = read_message(parse_json(exchange.request.body or b"{}"), batch(kind))
    mask = exchange.request.param("updateMask", "update_mask")
    paths = [camel(path) for path in mask.split(",")] if mask else sorted(_CHANGEABLE & given.keys())
    unknown = [path for path in paths if path not in _CHANGEABLE]
    if unknown:
        raise Refused(400, f"Invalid update mask: {unknown[0]!r} cannot be updated.")
    changes: dict[str, object] = {"updated": exchange.now}
    if "displayName" in paths:
        changes["display_name"] = given.get("displayName")
    if "priority" in paths:
        changes["priority"] = str(given["priority"]) if given.get("priority") else None
    changed = change_job(exchange.store, job, changes)
    return batch_of(changed, changed.progress(exchange.settings, exchange.now))


def _job(exchange: Exchange) -> Job:
    """The job of the path. Raises Refused (400, 404, or 403 by a fault). Source: reference 9."""
    short = exchange.params["id"]
    if not _JOB_ID.fullmatch(short):
        raise Refused(400, "Could not parse the batch name")
    job = find_job(exchange.store, API, f"batches/{short}")
    if job is None or not job.existed(exchange.as_of):
        raise not_found()
    if job.is_deleted(exchange.as_of):
        if exchange.fault(FaultKind.FORBIDDEN_AFTER_DELETE):
            raise Refused(403, f"You do not have permission to access {job.name} or it may not exist.")
        raise not_found()
    return job
