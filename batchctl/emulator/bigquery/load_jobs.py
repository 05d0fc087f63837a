"""The calls on load jobs, which are done when the call is answered. Source: bigquery v2, `jobs`; reference 4."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from itertools import chain

from msgspec import Struct

from batchctl.emulator.bigquery.definitions import DATASET_NAME, TABLE_NAME
from batchctl.emulator.bigquery.loading import Load, Loaded, LoadFailed, error_resource, run_load
from batchctl.emulator.bigquery.resources import millis, refused, require_dataset_named
from batchctl.emulator.bigquery.schema import BadSchema, read_schema
from batchctl.emulator.bigquery.tables import Column
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.media import read_related, read_resource
from batchctl.emulator.older_apis import host_url
from batchctl.emulator.sessions import continue_session, open_session
from batchctl.emulator.storage.objects import match_objects
from batchctl.emulator.wire import JsonObject, Response

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_ID_LENGTH = 28
_BLOB_LENGTH = 36
_WRITES = ("WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_EMPTY")
_CREATES = ("CREATE_IF_NEEDED", "CREATE_NEVER")
_FORMAT = "NEWLINE_DELIMITED_JSON"


class _Source(Struct, frozen=True):
    """The bytes of a load."""

    read: Callable[[], Iterable[bytes]]
    files: int
    size: int


def insert_job(exchange: Exchange) -> JsonObject:
    """Load the Cloud Storage objects of the configuration."""
    job = read_resource(exchange.request.body)
    load = _read_job(exchange, job)
    uris = job["configuration"]["load"].get("sourceUris")
    if not isinstance(uris, list) or not uris or not all(isinstance(uri, str) for uri in uris):
        raise refused(400, "Load configuration must specify at least one source URI", "required")
    return _run(exchange, job, load, lambda: _objects(exchange, uris))


def upload_job(exchange: Exchange) -> JsonObject | Response:
    """Load the data in the request, or open a session for it."""
    match exchange.request.param("uploadType"):
        case "multipart":
            media = read_related(exchange.request)
            load = _read_job(exchange, media.resource)
            source = _Source(lambda: [media.content], 1, len(media.content))
            return _run(exchange, media.resource, load, lambda: source)
        case "resumable":
            job = read_resource(exchange.request.body)
            _read_job(exchange, job)
            return open_session(exchange, job)
        case _:
            raise refused(400, "uploadType must be multipart or resumable.")


def continue_upload(exchange: Exchange) -> JsonObject | Response:
    """One piece of a session."""
    return continue_session(exchange, _check, _load_blob)


def get_job(exchange: Exchange) -> JsonObject:
    """The job's resource."""
    project, name = exchange.params["project"], exchange.params["job"]
    found = _find(exchange, project, name)
    if found is None:
        location = exchange.request.param("location") or "US"
        raise refused(404, f"Not found: Job {project}:{location}.{name}")
    return found


def _check(exchange: Exchange, job: JsonObject) -> None:
    _read_job(exchange, job)


def _load_blob(exchange: Exchange, job: JsonObject, blob: str) -> JsonObject:
    store = exchange.store
    size = sum(map(len, store.read(blob)))
    done = _run(exchange, job, _read_job(exchange, job), lambda: _Source(lambda: store.read(blob), 1, size))
    store.drop_unused(blob)
    return done


def _objects(exchange: Exchange, uris: Iterable[str]) -> _Source:
    """The objects that match the URIs. Raises LoadFailed if a URI matches none."""
    found = []
    for uri in uris:
        matched = match_objects(exchange.store, uri)
        if not matched:
            raise LoadFailed("notFound", f"Not found: URI {uri}")
        found += matched
    return _Source(
        lambda: chain.from_iterable(chain(exchange.store.read(item.blob), [b"\n"]) for item in found),
        len(found),
        sum(item.size for item in found),
    )


def _run(exchange: Exchange, job: JsonObject, load: Load, source: Callable[[], _Source]) -> JsonObject:
    """Run the load now and store the final job."""
    statistics: JsonObject = {name: millis(exchange.now) for name in ("creationTime", "startTime", "endTime")}
    status: JsonObject = {"state": "DONE"}
    try:
        found = source()
        statistics["load"] = _statistics(found, run_load(exchange.store, load, found.read, exchange.now))
    except LoadFailed as failed:
        status["errorResult"] = error_resource(failed.reason, failed.message)
        errors = [error_resource("invalid", text) for text in failed.more]
        status["errors"] = errors or [status["errorResult"]]
    resource = _resource(exchange, job, load, statistics, status)
    reference = resource["jobReference"]
    row = {"project": reference["projectId"], "id": reference["jobId"], "resource": json.dumps(resource)}
    exchange.store.insert("load_jobs", row)
    return resource


def _resource(
    exchange: Exchange, job: JsonObject, load: Load, statistics: JsonObject, status: JsonObject
) -> JsonObject:
    project = exchange.params["project"]
    given = job.get("jobReference") or {}
    name = given.get("jobId") or f"job_{fresh_id(_ID_LENGTH)}"
    location = require_dataset_named(exchange.store, load.project, load.dataset).location
    asked = job["configuration"]["load"]
    configuration = {**asked, "maxBadRecords": load.most_bad} if "maxBadRecords" in asked else asked
    return {
        "kind": "bigquery#job",
        "id": f"{project}:{location}.{name}",
        "selfLink": f"{host_url(exchange)}/bigquery/v2/projects/{project}/jobs/{name}?location={location}",
        "jobReference": {"projectId": project, "jobId": name, "location": location},
        "configuration": {**job["configuration"], "load": configuration, "jobType": "LOAD"},
        "statistics": statistics,
        "status": status,
    }


def _statistics(source: _Source, loaded: Loaded) -> JsonObject:
    return {
        "inputFiles": str(source.files),
        "inputFileBytes": str(source.size),
        "outputRows": str(loaded.rows),
        "outputBytes": str(source.size),
        "badRecords": str(loaded.bad),
    }


def _find(exchange: Exchange, project: str, name: str) -> JsonObject | None:
    found = exchange.store.rows("SELECT resource FROM load_jobs WHERE project = ? AND id = ?", project, name)
    return None if not found else dict(json.loads(found[0][0]))


def _read_job(exchange: Exchange, job: JsonObject) -> Load:
    """The load that a job's resource requests. Raises Refused (400, 404, 409)."""
    reference = job.get("jobReference") or {}
    name = reference.get("jobId") if isinstance(reference, dict) else 0
    if name is not None and (not isinstance(name, str) or not _JOB_ID.fullmatch(name)):
        raise refused(400, f"Invalid job ID {ascii(name)[:80]}")
    if name is not None and _find(exchange, exchange.params["project"], name):
        raise refused(409, f"Already Exists: Job {exchange.params['project']}:{name}", "duplicate")
    configuration = job.get("configuration")
    asked = configuration.get("load") if isinstance(configuration, dict) else None
    if not isinstance(asked, dict):
        raise refused(400, "The emulator supports load jobs only: configuration.load is missing.", "required")
    if asked.get("sourceFormat") != _FORMAT:
        raise refused(400, f"The emulator loads {_FORMAT} only, not {ascii(asked.get('sourceFormat') or 'CSV')[:40]}.")
    return _read_load(exchange, asked)


def _read_load(exchange: Exchange, asked: JsonObject) -> Load:
    table = asked.get("destinationTable")
    parts = [table.get(key) if isinstance(table, dict) else None for key in ("projectId", "datasetId", "tableId")]
    project, dataset, name = (part if isinstance(part, str) else "" for part in parts)
    if not DATASET_NAME.fullmatch(dataset) or not TABLE_NAME.fullmatch(name):
        raise refused(400, "Required parameter is missing or wrong: destinationTable", "required")
    found = require_dataset_named(exchange.store, project or exchange.params["project"], dataset)
    write, create = asked.get("writeDisposition") or _WRITES[0], asked.get("createDisposition") or _CREATES[0]
    if write not in _WRITES or create not in _CREATES:
        raise refused(400, f"Invalid disposition: {ascii(write)[:40]}, {ascii(create)[:40]}")
    return Load(
        found.project,
        dataset,
        name,
        _given_schema(asked.get("schema")),
        autodetect=asked.get("autodetect") is True,
        write=write,
        create=create == _CREATES[0],
        ignore_unknown=asked.get("ignoreUnknownValues") is True,
        most_bad=_count(asked.get("maxBadRecords")),
    )


def _given_schema(schema: object) -> tuple[Column, ...] | None:
    try:
        return read_schema(schema.get("fields")) if isinstance(schema, dict) and schema.get("fields") else None
    except BadSchema as bad:
        raise refused(400, str(bad)) from bad


def _count(given: object) -> int:
    text = str(given or 0)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise refused(400, f"Invalid maxBadRecords: {text[:40]}")
    return int(text)
