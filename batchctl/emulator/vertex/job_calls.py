"""Calls other than create: get, list, cancel, delete. Source: reference 3, 5, 9."""

from __future__ import annotations

from functools import partial

from batchctl.emulator.exchange import Exchange
from batchctl.emulator.faults import FaultKind
from batchctl.emulator.job_store import Job, change_job, find_short
from batchctl.emulator.lifecycle import Fate, State, Timeline, progress, share_done
from batchctl.emulator.paging import JobPage, page_of_jobs
from batchctl.emulator.rules import Course
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.filters import JOB_STATE, parse_filter
from batchctl.emulator.vertex.masks import parse_read_mask
from batchctl.emulator.vertex.operations import start_delete
from batchctl.emulator.vertex.resource import resource
from batchctl.emulator.vertex.resource_names import API, parent_of
from batchctl.emulator.vertex.rows import failed_rows
from batchctl.emulator.wire import JsonObject, Refused, not_found

_PAGE_SIZE = 100


def get_job(exchange: Exchange) -> JsonObject:
    """The job."""
    exchange = exchange.as_it_was()
    job = _job(exchange)
    stale = exchange.fault(FaultKind.STALE_STATS) is not None
    return resource(job, exchange.settings, exchange.now, stale=stale)


def list_jobs(exchange: Exchange) -> JsonObject:
    """One page of a project's jobs in a location, newest first; `{}` if the page is empty."""
    page = JobPage.asked(exchange, _PAGE_SIZE)
    where = parse_filter(exchange.request.param("filter"))
    mask = parse_read_mask(exchange.request.param("readMask", "read_mask"))
    exchange = exchange.as_it_was()
    _register_job_state(exchange.store, exchange.settings, exchange.now)
    jobs, token = page_of_jobs(exchange, API, page, _parent(exchange), where)
    stale = bool(jobs) and exchange.fault(FaultKind.STALE_STATS) is not None
    entries = [mask.keep(resource(job, exchange.settings, exchange.now, stale=stale)) for job in jobs]
    reply: JsonObject = {"batchPredictionJobs": entries} if entries else {}
    return reply if token is None else {**reply, "nextPageToken": token}


def cancel_job(exchange: Exchange) -> JsonObject:
    """Request a cancel: the job is CANCELLING for a while. Rows processed before the call stay in its output."""
    job, store, settings, now = _job(exchange), exchange.store, exchange.settings, exchange.now
    progress = job.progress(settings, now)
    if progress.done:
        refused = settings.cancel_finished_refused
        if progress.state is State.FAILED if refused is None else refused:
            raise Refused(400, f"{job.name} is already finished.", name="FAILED_PRECONDITION")
        return {}
    if job.asked is not None:
        return {}
    if job.course.fate is Fate.CANCEL_LOST:
        change_job(store, job, {"asked": now})
        return {}
    slow = job.course.running if job.course.fate is Fate.CANCEL_SLOW else settings.cancelling
    served = int(job.request_count * share_done(job.timeline(settings), now))
    failed = failed_rows(store, job, served)
    changes = {"asked": now, "cancelled": now + slow, "served": served, "served_failed": failed}
    due = now + slow if job.input_blob else None
    change_job(store, job, {**changes, "due": due})
    return {}


def delete_job(exchange: Exchange) -> JsonObject:
    """Delete a finished job; its output stays. The reply is an operation. Source: reference 3.3, 9."""
    job = _job(exchange)
    if not job.progress(exchange.settings, exchange.now).done:
        raise Refused(
            400, f"{job.name} is not finished: only finished jobs can be deleted.", name="FAILED_PRECONDITION"
        )
    change_job(exchange.store, job, {"deleted": exchange.now})
    return start_delete(exchange, job.parent)


def _parent(exchange: Exchange) -> str:
    return parent_of(exchange.store, exchange.params["project"], exchange.params["location"])


def _job(exchange: Exchange) -> Job:
    """The job of the path. Raises Refused (404, or 403 by a fault)."""
    job = find_short(exchange.store, API, _parent(exchange), exchange.params["id"])
    if job is None or not job.existed(exchange.as_of):
        raise not_found()
    if job.is_deleted(exchange.as_of):
        if exchange.fault(FaultKind.FORBIDDEN_AFTER_DELETE):
            permission = f"aiplatform.{exchange.method}"
            place = f"//aiplatform.googleapis.com/{job.name}"
            raise Refused(403, f"Permission '{permission}' denied on resource '{place}' (or it may not exist).")
        raise not_found()
    return job


def _register_job_state(store: Store, settings: Settings, now: int) -> None:
    """Register the SQL function by which a filter gets the current state of a job."""
    store.function(JOB_STATE, 4, partial(_state, settings, now))


def _state(settings: Settings, now: int, created: int, course: str, cancelled: int | None, asked: int | None) -> str:
    planned = Course.from_json(course)
    line = Timeline(
        created,
        planned.pending,
        planned.running,
        settings.expire_after,
        planned.fate,
        cancelled,
        planned.limits,
        asked,
        planned.fixed_state,
    )
    return progress(line, now).state
