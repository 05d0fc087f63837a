"""Loads a seed file, whose format is `schemas/emulator-seed.schema.json`: the data that exists before the first call.

Existing names in the store are unchanged, so that a server can be restarted with the same data and seed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Protocol

from batchctl.disk.safe_open import read_start
from batchctl.emulator.bigquery.seeding import load_datasets, load_tables
from batchctl.emulator.bounded_yaml import MAX_BYTES, load_yaml
from batchctl.emulator.clock import LONGEST, parse_timestamp
from batchctl.emulator.faults import put_faults
from batchctl.emulator.gemini.create import item_lines, new_job, valid_model
from batchctl.emulator.gemini.envelope import API
from batchctl.emulator.gemini.files import find_file
from batchctl.emulator.gemini.new_files import store_file
from batchctl.emulator.ids import fresh_id
from batchctl.emulator.job_store import Job, find_job
from batchctl.emulator.lifecycle import Fate, State
from batchctl.emulator.proto import read_message
from batchctl.emulator.requests import DEVELOPER_REQUESTS
from batchctl.emulator.rules import Course, NewJob, course_for, put_rules
from batchctl.emulator.schemas import Invalid, check
from batchctl.emulator.settings import Settings, settings_from
from batchctl.emulator.storage.seeding import load_buckets
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.models import is_published
from batchctl.emulator.vertex.resource_names import API as VERTEX
from batchctl.emulator.vertex.resource_names import number_projects
from batchctl.emulator.vertex.seeding import load_job as load_vertex_job
from batchctl.emulator.vertex.seeding import load_multimodal
from batchctl.emulator.wire import JsonObject, Refused

_BLOB_LENGTH = 36
SETTINGS = "settings"
"""The key of the stored settings, which come from a seed or a control call."""
_LOADED = "seeds"
"""The key of the digests of files that were loaded by `load_once`."""
_ENDS = {State.SUCCEEDED: None, State.FAILED: Fate.FAIL, State.EXPIRED: Fate.EXPIRE}


class SeedTarget(Protocol):
    """The target of a seed: an emulator."""

    @property
    def store(self) -> Store: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def methods(self) -> frozenset[str]: ...


def load_seed(emulator: SeedTarget, path: Path) -> None:
    """Load the complete file into the emulator, or nothing. Raises Invalid, which names the place, and OSError."""
    content = read_start(path.resolve(), MAX_BYTES + 1)
    _load(emulator.store, emulator.settings, emulator.methods, path.name, content)


def load_once(store: Store, settings: Settings, methods: frozenset[str], content: bytes) -> bool:
    """Load the content of a file, unless it was loaded before; after a reset it is loaded again.

    `methods` are the names that faults may use. Returns whether the content was loaded now. Raises Invalid with the
    place.
    """
    digest = hashlib.sha256(content).hexdigest()
    with store.transaction():
        loaded = store.meta(_LOADED) or []
        if digest in loaded:
            return False
        _load(store, settings, methods, "seed", content)
        store.put_meta(_LOADED, [*loaded, digest])
    return True


def put_settings(store: Store, given: object) -> None:
    """Replace the stored settings. Raises Invalid with the place."""
    check({SETTINGS: given}, "emulator-seed.schema.json", "emulator")
    assert isinstance(given, dict)
    _check_models(given, f"emulator.{SETTINGS}")
    store.put_meta(SETTINGS, given)


def _check_models(settings: JsonObject, place: str) -> None:
    """Raise Invalid for errors in `models` that the schema cannot find: an unknown name, an invalid time."""
    for name, model in settings.get("models", {}).items():
        if not any(valid_model(kind, f"models/{name}") for kind in ("generate", "embed")) and not is_published(name):
            raise Invalid(f"{place}.models.{name}: not the name of a model")
        _time(model, "retirementTime", 0, f"{place}.models.{name}")


def _load(store: Store, settings: Settings, methods: frozenset[str], name: str, content: bytes) -> None:
    found = load_yaml(content, name)
    seed = {} if found is None else found
    check(seed, "emulator-seed.schema.json", name)
    with store.transaction():
        if SETTINGS in seed:
            _check_models(seed[SETTINGS], f"{name}.{SETTINGS}")
            store.put_meta(SETTINGS, seed[SETTINGS])
            settings = settings_from(settings, seed[SETTINGS])
        if "rules" in seed:
            put_rules(store, seed["rules"], f"{name}.rules")
        if "faults" in seed:
            put_faults(store, seed["faults"], methods, f"{name}.faults")
        load_buckets(store, seed.get("buckets", {}), f"{name}.buckets")
        load_datasets(store, seed.get("datasets", []), f"{name}.datasets")
        load_tables(store, seed.get("tables", {}), f"{name}.tables")
        for position, file in enumerate(seed.get("files", [])):
            _load_file(store, settings, file, f"{name}.files[{position}]")
        number_projects(store, seed.get("projects", {}))
        load_multimodal(store, seed.get("multimodalDatasets", []))
        for position, job in enumerate(seed.get("jobs", [])):
            place = f"{name}.jobs[{position}]"
            if job.get("api") == VERTEX:
                load_vertex_job(store, settings, job, place)
            else:
                _load_job(store, settings, job, place)


def _load_file(store: Store, settings: Settings, file: JsonObject, place: str) -> None:
    now = store.now()
    if find_file(store, file["name"], -1):
        return
    if ("content" in file) == ("lines" in file):
        raise Invalid(f"{place}: needs exactly one of content and lines")
    blob = fresh_id(_BLOB_LENGTH)
    store.append(blob, [file["content"].encode()] if "content" in file else item_lines(file["lines"]))
    created = _time(file, "createTime", now, place)
    expires = _time(file, "expirationTime", created + settings.file_lifetime, place)
    mime_type = file.get("mimeType", "application/jsonl")
    store_file(store, blob, file["name"], file.get("displayName"), mime_type, created, expires)


def _load_job(store: Store, settings: Settings, job: JsonObject, place: str) -> None:
    if find_job(store, API, job["name"]):
        return
    kind, model = job.get("kind", "generate"), f"models/{job['model'].removeprefix('models/')}"
    if not valid_model(kind, model):
        raise Invalid(f"{place}.model: {model} does not accept {kind} jobs")
    created = _time(job, "createTime", store.now(), place)
    ended = _time(job, "endTime", created, place)
    if not created <= ended <= created + settings.expire_after:
        raise Invalid(f"{place}.endTime: must be after createTime, by at most the longest duration of a job")
    state = State(job["state"].rpartition("_")[2]) if "state" in job else None
    blob, results_blob = _job_input(store, job, kind, place)
    cancelled = state is State.CANCELLED
    new_job(
        store,
        Job(
            api=API,
            name=job["name"],
            kind=kind,
            model=model,
            display_name=job.get("displayName"),
            input_file=job.get("inputFile"),
            input_blob=blob,
            request_count=0,
            failed_count=0,
            created=created,
            updated=created,
            course=course_for(store, settings, NewJob(API, model, job.get("displayName")))
            if state is None
            else _course(state, ended - created),
            results_blob=results_blob,
            cancelled=ended if cancelled else None,
            served=len(job.get("results", [])) if cancelled else None,
            served_failed=sum("error" in item for item in job.get("results", [])) if cancelled else None,
        ),
    )


def _course(state: State, lasted: int) -> Course:
    """A course with a fixed state: a finished one from the start, an unfinished one until it expires."""
    if state is State.PENDING:
        return Course(0, 0, Fate.STUCK)
    if state in _ENDS:
        return Course(0, lasted, _ENDS[state])
    return Course(0, LONGEST)


def _job_input(store: Store, job: JsonObject, kind: str, place: str) -> tuple[str, str | None]:
    """The blobs of the rows and of the given results."""
    blob, results_blob = fresh_id(_BLOB_LENGTH), None
    if "results" in job:
        results_blob = fresh_id(_BLOB_LENGTH)
        store.append(results_blob, item_lines(job["results"]))
    if "inputFile" in job:
        file = find_file(store, job["inputFile"], -1)
        if file is not None:
            return file.blob, results_blob
        if results_blob is None:
            raise Invalid(f"{place}.inputFile: the seed has no such file; add it to files, or give the job results")
    elif "rows" in job:
        store.append(blob, item_lines([_item(row, kind, f"{place}.rows[{at}]") for at, row in enumerate(job["rows"])]))
    elif results_blob is None:
        raise Invalid(f"{place}: needs rows, inputFile or results")
    return blob, results_blob


def _item(row: JsonObject, kind: str, place: str) -> JsonObject:
    """A row, `{key, request}` or `{key, text}`, as an inline item whose metadata contains the key."""
    if ("request" in row) == ("text" in row):
        raise Invalid(f"{place}: needs exactly one of request and text")
    content = {"role": "user", "parts": [{"text": row.get("text")}]}
    request = row.get("request", {"contents": [content]} if kind == "generate" else {"content": content})
    try:
        read = read_message(json.loads(json.dumps(request)), DEVELOPER_REQUESTS[kind], "request")
    except Refused as refused:
        raise Invalid(f"{place}: {refused.message}") from refused
    return {"request": read, **({"metadata": {"key": row["key"]}} if "key" in row else {})}


def _time(given: JsonObject, key: str, default: int, place: str) -> int:
    try:
        return parse_timestamp(given[key]) if key in given else default
    except ValueError as error:
        raise Invalid(f"{place}.{key}: {error}") from error
