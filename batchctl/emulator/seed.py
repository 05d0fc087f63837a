"""Loads a seed file, whose form is `schemas/emulator-seed.schema.json`: what is there before the first call.

Names that the store already has stay as they are, so that a server may start again with the same data and seed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import assert_never

import yaml

from batchctl.emulator.clock import LONGEST, parse_timestamp
from batchctl.emulator.core import Emulator
from batchctl.emulator.gemini.create import item_lines, new_job, valid_model
from batchctl.emulator.gemini.envelope import API
from batchctl.emulator.gemini.files import find_file
from batchctl.emulator.gemini.messages import REQUESTS
from batchctl.emulator.gemini.uploads import keep_file
from batchctl.emulator.jobs import Job, find_job
from batchctl.emulator.lifecycle import Fate, State
from batchctl.emulator.names import fresh_id
from batchctl.emulator.proto import read_message
from batchctl.emulator.rules import Course, course_for
from batchctl.emulator.schemas import Invalid, check
from batchctl.emulator.wire import JsonObject, Refused

_BLOB_LENGTH = 36


class _Loader(yaml.SafeLoader):
    """Times stay text, as in JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012  the library's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_seed(emulator: Emulator, path: Path) -> None:
    """Put all of the file into the emulator, or nothing. Raises Invalid, which names the place, and OSError."""
    try:
        seed = yaml.load(path.read_bytes(), _Loader)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"{path.name}: {error}") from error
    seed = {} if seed is None else seed
    check(seed, "emulator-seed.schema.json", path.name)
    with emulator.store.transaction():
        if "settings" in seed:
            emulator.store.put_meta("settings", seed["settings"])
        for position, file in enumerate(seed.get("files", [])):
            _load_file(emulator, file, f"{path.name}.files[{position}]")
        for position, job in enumerate(seed.get("jobs", [])):
            _load_job(emulator, job, f"{path.name}.jobs[{position}]")


def _load_file(emulator: Emulator, file: JsonObject, place: str) -> None:
    store, now = emulator.store, emulator.store.now()
    if find_file(store, file["name"], -1):
        return
    if ("content" in file) == ("lines" in file):
        raise Invalid(f"{place}: needs exactly one of content and lines")
    blob = fresh_id(_BLOB_LENGTH)
    store.append(blob, [file["content"].encode()] if "content" in file else item_lines(file["lines"]))
    created = _time(file, "createTime", now, place)
    expires = _time(file, "expirationTime", created + emulator.settings.file_lifetime, place)
    mime_type = file.get("mimeType", "application/jsonl")
    keep_file(store, blob, file["name"], file.get("displayName"), mime_type, created, expires)


def _load_job(emulator: Emulator, job: JsonObject, place: str) -> None:
    store = emulator.store
    if find_job(store, API, job["name"]):
        return
    kind, model = job.get("kind", "generate"), f"models/{job['model'].removeprefix('models/')}"
    if not valid_model(kind, model):
        raise Invalid(f"{place}.model: {model} takes no {kind} jobs")
    created = _time(job, "createTime", store.now(), place)
    ended = _time(job, "endTime", created, place)
    if not created <= ended <= created + emulator.settings.expire_after:
        raise Invalid(f"{place}.endTime: must be after createTime, by no more than a job may take")
    state = State(job["state"].rpartition("_")[2]) if "state" in job else None
    blob, results_blob = _job_input(emulator, job, kind, place)
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
            course=course_for(store, emulator.settings, model, job.get("displayName"))
            if state is None
            else _course(state, ended - created),
            results_blob=results_blob,
            cancelled=ended if cancelled else None,
            served=len(job.get("results", [])) if cancelled else None,
            served_failed=sum("error" in item for item in job.get("results", [])) if cancelled else None,
        ),
    )


def _course(state: State, lasted: int) -> Course:
    """The course that stands in this state: a finished one at once, an unfinished one until it expires."""
    match state:
        case State.PENDING:
            return Course(0, 0, Fate.STUCK)
        case State.RUNNING | State.CANCELLED:
            return Course(0, LONGEST)
        case State.SUCCEEDED:
            return Course(0, lasted)
        case State.FAILED:
            return Course(0, lasted, Fate.FAIL)
        case State.EXPIRED:
            return Course(0, lasted, Fate.EXPIRE)
        case _:
            assert_never(state)


def _job_input(emulator: Emulator, job: JsonObject, kind: str, place: str) -> tuple[str, str | None]:
    """The blobs of the rows and of the given results."""
    store, blob, results_blob = emulator.store, fresh_id(_BLOB_LENGTH), None
    if "results" in job:
        results_blob = fresh_id(_BLOB_LENGTH)
        store.append(results_blob, item_lines(job["results"]))
    if "inputFile" in job:
        file = find_file(store, job["inputFile"], -1)
        if file is not None:
            return file.blob, results_blob
        if results_blob is None:
            raise Invalid(f"{place}.inputFile: no such file in the seed; give the job results, or seed the file")
    elif "rows" in job:
        store.append(blob, item_lines([_item(row, kind, f"{place}.rows[{at}]") for at, row in enumerate(job["rows"])]))
    elif results_blob is None:
        raise Invalid(f"{place}: needs rows, inputFile or results")
    return blob, results_blob


def _item(row: JsonObject, kind: str, place: str) -> JsonObject:
    """A row, `{key, request}` or `{key, text}`, as an inline item whose metadata holds the key."""
    if ("request" in row) == ("text" in row):
        raise Invalid(f"{place}: needs exactly one of request and text")
    content = {"role": "user", "parts": [{"text": row.get("text")}]}
    request = row.get("request", {"contents": [content]} if kind == "generate" else {"content": content})
    try:
        read = read_message(json.loads(json.dumps(request)), REQUESTS[kind], "request")
    except Refused as refused:
        raise Invalid(f"{place}: {refused.message}") from refused
    return {"request": read, **({"metadata": {"key": row["key"]}} if "key" in row else {})}


def _time(given: JsonObject, key: str, default: int, place: str) -> int:
    try:
        return parse_timestamp(given[key]) if key in given else default
    except ValueError as error:
        raise Invalid(f"{place}.{key}: {error}") from error
