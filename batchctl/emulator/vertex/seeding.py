"""Loads the Vertex jobs and multimodal datasets of a seed. The format is `schemas/emulator-seed.schema.json`.

A job with a state keeps it and shows the given error, counts and output. A succeeded job with input and output, but
without `outputInfo`, is run at once, so that its output exists. A job without a state progresses with time.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.emulator.clock import LONGEST, parse_timestamp
from batchctl.emulator.ids import fresh_digits
from batchctl.emulator.job_store import Job, add_job, find_short
from batchctl.emulator.lifecycle import Fate, Limits, State
from batchctl.emulator.proto import read_message
from batchctl.emulator.rules import Course, NewJob, course_for
from batchctl.emulator.schemas import Invalid
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.vertex import datasets
from batchctl.emulator.vertex.create import check_labels, start_job, vertex_course
from batchctl.emulator.vertex.messages import BATCH_PREDICTION_JOB
from batchctl.emulator.vertex.models import read_model
from batchctl.emulator.vertex.resource_names import API, parent_of, place_of
from batchctl.emulator.wire import JsonObject, Refused

_ENDS = {
    State.SUCCEEDED: None,
    State.PARTIALLY_SUCCEEDED: Fate.PARTIAL,
    State.FAILED: Fate.FAIL,
    State.EXPIRED: Fate.EXPIRE,
}
_WORKED = frozenset({State.SUCCEEDED, State.PARTIALLY_SUCCEEDED})
_TOLD = ("outputInfo", "completionStats", "error", "partialFailures")
_FOR_EVER = Limits(LONGEST, LONGEST)


def load_multimodal(store: Store, given: list[JsonObject]) -> None:
    """Load the multimodal datasets whose names are free."""
    for dataset in given:
        if not datasets.has_dataset(store, dataset["name"]):
            parent, short = place_of(store, dataset["name"])
            datasets.add_dataset(store, parent, dataset["uris"], short)


def load_job(store: Store, settings: Settings, given: JsonObject, place: str) -> None:
    """Load one job unless its name is taken. Raises Invalid with the place."""
    name, parent = _name(store, given, place)
    if find_short(store, API, parent, name.rpartition("/")[2]) is not None:
        return
    state = State(given["state"].rpartition("JOB_STATE_")[2]) if "state" in given else None
    try:
        job = _job(store, settings, given, name, parent)
    except Refused as refused:
        raise Invalid(f"{place}: {refused.message}") from refused
    created, started, ended = _times(store, given, place)
    job = replace(job, created=created, updated=created)
    if state is not None:
        cancelled = ended if state is State.CANCELLED else None
        course = _course(settings, state, started - created, ended - started)
        job = replace(job, course=course, asked=cancelled, cancelled=cancelled)
    whole = {"inputConfig", "outputConfig"} <= job.body.keys()
    if state is None and not whole:
        raise Invalid(f"{place}: a job without a state needs input and output")
    if state is None or (state in _WORKED and whole and "outputInfo" not in given):
        _work(store, settings, job, state, place)
    else:
        add_job(store, job)


def _work(store: Store, settings: Settings, job: Job, state: State | None, place: str) -> None:
    """Start the job; one that should have succeeded must have."""
    worked = start_job(store, settings, job, store.now())
    if state is not None and worked.course.error is not None:
        raise Invalid(f"{place}: {worked.course.error[1]}")


def _name(store: Store, given: JsonObject, place: str) -> tuple[str, str]:
    """The full name as given, and the parent."""
    if "name" in given:
        return given["name"], place_of(store, given["name"])[0]
    if "project" not in given or "location" not in given:
        raise Invalid(f"{place}: needs a name, or project and location")
    parent = parent_of(store, given["project"], given["location"])
    return f"{parent}/batchPredictionJobs/{fresh_digits()}", parent


def _job(store: Store, settings: Settings, given: JsonObject, name: str, parent: str) -> Job:
    """The job without its times. Raises Refused for values that the API would refuse."""
    model = given["model"] if "/" in given["model"] else f"publishers/google/models/{given['model']}"
    model, kind = read_model(store, parent, model)
    check_labels(given.get("labels", {}))
    body = read_message(given.get("resource", {}), BATCH_PREDICTION_JOB, "resource")
    if "input" in given:
        body["inputConfig"] = _input(given["input"])
    if "output" in given:
        body["outputConfig"] = _output(given["output"])
    now = store.now()
    writes_objects = "gcsDestination" in body.get("outputConfig", {})
    new_job = NewJob(API, model, given["displayName"], writes_objects, given.get("labels", {}))
    return Job(
        api=API,
        name=name,
        kind=kind,
        model=model,
        display_name=given["displayName"],
        input_file=None,
        input_blob="",
        request_count=0,
        failed_count=0,
        created=now,
        updated=now,
        course=vertex_course(course_for(store, settings, new_job), settings),
        labels=given.get("labels", {}),
        parent=parent,
        body=body,
        output={name: given[name] for name in _TOLD if name in given},
    )


def _input(given: str | list[str]) -> JsonObject:
    if isinstance(given, str) and given.startswith("bq://"):
        return {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": given}}
    if isinstance(given, str) and given.startswith("projects/"):
        return {"instancesFormat": "vertex-dataset", "vertexMultimodalDatasetSource": {"datasetName": given}}
    uris = [given] if isinstance(given, str) else given
    return {"instancesFormat": "jsonl", "gcsSource": {"uris": uris}}


def _output(given: str) -> JsonObject:
    if given.startswith("bq://"):
        return {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": given}}
    return {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": given}}


def _course(settings: Settings, state: State, waited: int, lasted: int) -> Course:
    """A course with a fixed state: a finished one from the start, an unfinished one until Vertex's limits."""
    if state is State.PENDING:
        return vertex_course(Course(0, 0, Fate.STUCK), settings)
    if state is State.RUNNING:
        return vertex_course(Course(waited, LONGEST), settings)
    if state in _ENDS:
        return Course(waited, lasted, _ENDS[state], limits=_FOR_EVER)
    fixed_state = None if state is State.CANCELLED else state
    return Course(waited, LONGEST, limits=_FOR_EVER, fixed_state=fixed_state)


def _times(store: Store, given: JsonObject, place: str) -> tuple[int, int, int]:
    """The times of creation, start and end; each one defaults to the one before."""
    moment = store.now() // 1000 * 1000
    found: list[int] = []
    for key in ("createTime", "startTime", "endTime"):
        try:
            later = parse_timestamp(given[key]) if key in given else moment
        except ValueError as error:
            raise Invalid(f"{place}.{key}: {error}") from error
        if found and later < moment:
            raise Invalid(f"{place}.{key}: is earlier than the time of the previous step")
        moment = later
        found.append(moment)
    return found[0], found[1], found[2]
