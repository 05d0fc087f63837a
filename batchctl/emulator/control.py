"""The control calls under `/_emulator/`. Source: the design, section 9.

They need no key, are not counted, and are not subject to faults.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from batchctl.emulator.bodies import parse_json, unpacked
from batchctl.emulator.clock import LONGEST, parse_duration, timestamp
from batchctl.emulator.faults import get_faults, put_faults
from batchctl.emulator.job_store import Job, all_jobs
from batchctl.emulator.row_views import all_rows, job_rows, outcome_counts
from batchctl.emulator.rules import get_rules, put_rules
from batchctl.emulator.schemas import Invalid
from batchctl.emulator.seed import SETTINGS, load_once, put_settings
from batchctl.emulator.sent_rows import sent_counts
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.outputs import write_due_outputs
from batchctl.emulator.wire import JsonObject, Refused, Request, Response, json_bytes

CONTROL_PREFIX = "/_emulator/"
_JOB = re.compile(r"jobs/([^/]+)(/rows)?")
_Control: TypeAlias = "Callable[[Request, Store, Settings, frozenset[str]], object]"


def control(request: Request, store: Store, settings: Settings, methods: frozenset[str]) -> Response:
    """Answer one control call; `methods` are the method names that faults may use."""
    with store.transaction():
        try:
            whole = _bounded(unpacked(request, settings.max_body), settings)
            reply = _handler(request)(whole, store, settings, methods)
        except Invalid as invalid:
            return Refused(400, str(invalid)).response()
        except Refused as refused:
            return refused.response()
        except RecursionError:
            return Refused(400, "Invalid JSON payload received. It is nested too deeply.").response()
    return Response(200, {"content-type": "application/json; charset=UTF-8"}, json_bytes(reply))


def _bounded(request: Request, settings: Settings) -> Request:
    if request.too_large:
        raise Refused(400, f"Request payload size exceeds the limit: {settings.max_body} bytes.")
    return request


def _handler(request: Request) -> _Control:
    name = request.path.removeprefix(CONTROL_PREFIX)
    if request.method == "GET" and _JOB.fullmatch(name):
        return _job
    handler = _CALLS.get((request.method, name))
    if handler is None:
        known = (*_CALLS, ("GET", "jobs/N"), ("GET", "jobs/N/rows"))
        calls = ", ".join(f"{verb} {CONTROL_PREFIX}{name}" for verb, name in known)
        raise Refused(404, f"Unknown control call. The control calls are: {calls}.")
    return handler


def job_view(job: Job, rows: int | None, settings: Settings, now: int) -> JsonObject:
    """One job in the reply of `GET /_emulator/jobs`; a deleted job has the state from before its deletion.

    `rows` is the number of rows that it was sent, if it is known.
    """
    progress = job.progress(settings, now)
    return {
        "api": job.api,
        "name": job.name,
        "displayName": job.display_name,
        "labels": dict(job.labels),
        "model": job.model,
        "kind": job.kind,
        "state": f"{job.state_prefix}{progress.state}",
        "createTime": timestamp(job.created),
        "startTime": None if progress.started is None else timestamp(progress.started),
        "endTime": None if progress.ended is None else timestamp(progress.ended),
        "inputFile": job.input_file,
        "requestCount": job.request_count,
        "rows": job.request_count if rows is None else rows,
        "deleted": job.deleted is not None,
    }


def _requests(_request: Request, store: Store, _settings: Settings, _methods: frozenset[str]) -> object:
    calls = dict(store.rows("SELECT method, calls FROM counters ORDER BY method"))
    return {"total": sum(calls.values()), "byMethod": calls}


def _jobs(_request: Request, store: Store, settings: Settings, _methods: frozenset[str]) -> object:
    now = store.now()
    write_due_outputs(store, settings, now)
    rows = sent_counts(store)
    return {"jobs": [job_view(job, rows.get(job.seq), settings, now) for job in all_jobs(store)]}


def _job(request: Request, store: Store, settings: Settings, _methods: frozenset[str]) -> object:
    """One job with the outcomes of its rows, or its rows."""
    now = store.now()
    write_due_outputs(store, settings, now)
    found = _JOB.fullmatch(request.path.removeprefix(CONTROL_PREFIX))
    assert found is not None
    job = _named(store, found[1])
    if found[2]:
        return {"name": job.name, "rows": job_rows(store, job, settings, now)}
    view = job_view(job, sent_counts(store).get(job.seq), settings, now)
    return {**view, "outcomes": outcome_counts(store, job, settings, now)}


def _named(store: Store, name: str) -> Job:
    """The job with this number in the list of jobs, or with this last part of its name. Raises Refused (404)."""
    jobs = all_jobs(store)
    for number, job in enumerate(jobs, 1):
        if name in {str(number), job.short}:
            return job
    raise Refused(404, f"jobs: there is no job {ascii(name)[:80]}; the jobs are numbered from 1 to {len(jobs)}")


def _rows(_request: Request, store: Store, settings: Settings, _methods: frozenset[str]) -> object:
    now = store.now()
    write_due_outputs(store, settings, now)
    return all_rows(store, settings, now)


def _put_seed(request: Request, store: Store, settings: Settings, methods: frozenset[str]) -> object:
    return {"loaded": load_once(store, settings, methods, request.body)}


def _get_settings(_request: Request, store: Store, _settings: Settings, _methods: frozenset[str]) -> object:
    return store.meta(SETTINGS) or {}


def _put_settings(request: Request, store: Store, settings: Settings, methods: frozenset[str]) -> object:
    put_settings(store, parse_json(request.body))
    return _get_settings(request, store, settings, methods)


def _get_clock(_request: Request, store: Store, _settings: Settings, _methods: frozenset[str]) -> object:
    return {"now": timestamp(store.now())}


def _move_clock(request: Request, store: Store, settings: Settings, methods: frozenset[str]) -> object:
    body = parse_json(request.body)
    if not isinstance(body, dict) or body.keys() != {"advance"} or not isinstance(body["advance"], str):
        raise Refused(400, 'clock: the body must be an object such as {"advance": "48h"}')
    try:
        advance = parse_duration(body["advance"])
    except ValueError as error:
        raise Refused(400, f"clock.advance: {error}") from error
    offset = int(store.meta("clockOffset") or 0) + advance
    if offset >= LONGEST:
        raise Refused(400, "clock.advance: the clock must stay within a hundred years")
    store.put_meta("clockOffset", offset)
    return _get_clock(request, store, settings, methods)


def _get_rules(_request: Request, store: Store, _settings: Settings, _methods: frozenset[str]) -> object:
    return get_rules(store)


def _put_rules(request: Request, store: Store, _settings: Settings, _methods: frozenset[str]) -> object:
    put_rules(store, parse_json(request.body))
    return get_rules(store)


def _get_faults(_request: Request, store: Store, _settings: Settings, _methods: frozenset[str]) -> object:
    return get_faults(store)


def _put_faults(request: Request, store: Store, _settings: Settings, methods: frozenset[str]) -> object:
    put_faults(store, parse_json(request.body), methods)
    return get_faults(store)


def _reset(_request: Request, store: Store, _settings: Settings, _methods: frozenset[str]) -> object:
    store.empty()
    return {}


_CALLS: dict[tuple[str, str], _Control] = {
    ("GET", "requests"): _requests,
    ("GET", "jobs"): _jobs,
    ("GET", "rows"): _rows,
    ("GET", "clock"): _get_clock,
    ("POST", "clock"): _move_clock,
    ("GET", "rules"): _get_rules,
    ("PUT", "rules"): _put_rules,
    ("GET", "faults"): _get_faults,
    ("PUT", "faults"): _put_faults,
    ("GET", "settings"): _get_settings,
    ("PUT", "settings"): _put_settings,
    ("PUT", "seed"): _put_seed,
    ("POST", "reset"): _reset,
}
