"""The create call. A repeated call creates another job. Source: reference 3, 3.1, 3.2, 9.

Input and output locations are checked when the job runs: an invalid one fails the job, not the call.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from batchctl.emulator.bodies import parse_json
from batchctl.emulator.exchange import Exchange
from batchctl.emulator.faults import FaultKind
from batchctl.emulator.ids import fresh_digits
from batchctl.emulator.job_store import Job, add_job, find_short
from batchctl.emulator.lifecycle import Limits
from batchctl.emulator.proto import read_message
from batchctl.emulator.rules import Course, NewJob, course_for
from batchctl.emulator.settings import Settings
from batchctl.emulator.store import Store
from batchctl.emulator.vertex.locations import check_locations
from batchctl.emulator.vertex.messages import BATCH_PREDICTION_JOB, OUTPUT_ONLY
from batchctl.emulator.vertex.models import check_usable, read_model
from batchctl.emulator.vertex.outputs import write_due_outputs
from batchctl.emulator.vertex.resource import NORMALISED, resource
from batchctl.emulator.vertex.resource_names import API, parent_of
from batchctl.emulator.vertex.rows import keep_sent_rows
from batchctl.emulator.vertex.sources import sent_lines
from batchctl.emulator.wire import JsonObject, Refused

_LABEL_KEY = re.compile(r"[a-z0-9_-]{1,64}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,64}")
_LONGEST_DISPLAY_NAME = 128
_SOURCES = {"gcsSource": "jsonl", "bigquerySource": "bigquery", "vertexMultimodalDatasetSource": "vertex-dataset"}
_DESTINATIONS = {
    "gcsDestination": "jsonl",
    "bigqueryDestination": "bigquery",
    "vertexMultimodalDatasetDestination": "vertex-dataset",
}
_OWN = OUTPUT_ONLY | {"displayName", "model", "labels"}
"""Members that are stored in columns of their own, or not at all."""


def create_job(exchange: Exchange) -> JsonObject:
    """`POST …/batchPredictionJobs`."""
    store, settings, now = exchange.store, exchange.settings, exchange.now // 1000 * 1000
    asked = read_message(parse_json(exchange.request.body or b"{}"), BATCH_PREDICTION_JOB, "batch_prediction_job")
    _check(asked)
    parent = parent_of(store, exchange.params["project"], exchange.params["location"])
    model, kind = read_model(store, parent, asked["model"])
    check_usable(settings, model, kind, exchange.now)
    check_locations(store, exchange.params["location"], asked)
    body = {name: value for name, value in asked.items() if name not in _OWN}
    if exchange.fault(FaultKind.ECHO_NORMALISED):
        body[NORMALISED] = True
    labels = asked.get("labels", {})
    new_job = NewJob(API, model, asked["displayName"], "gcsDestination" in body["outputConfig"], labels)
    course = vertex_course(course_for(store, settings, new_job), settings)
    job = Job(
        api=API,
        name=f"{parent}/batchPredictionJobs/{fresh_digits()}",
        kind=kind,
        model=model,
        display_name=asked["displayName"],
        input_file=None,
        input_blob="",
        request_count=0,
        failed_count=0,
        created=now,
        updated=now,
        course=course,
        labels=labels,
        parent=parent,
        body=body,
    )
    created = start_job(store, settings, job, exchange.now)
    return resource(created, settings, exchange.now)


def start_job(store: Store, settings: Settings, job: Job, now: int) -> Job:
    """Store a job that progresses with time, and do its due work at once; calls and seeds share this function."""
    added = add_job(store, replace(job, due=job.timeline(settings).starts))
    keep_sent_rows(store, added, sent_lines(store, added))
    write_due_outputs(store, settings, now)
    started = find_short(store, API, job.parent, job.short)
    assert started is not None
    return started


def vertex_course(course: Course, settings: Settings) -> Course:
    """The course with the limits of Vertex on a job's time."""
    return replace(course, limits=Limits(settings.queue_limit, settings.run_limit, settings.overdue))


def check_labels(labels: object) -> None:
    """Raise Refused (400) unless these are valid labels. Source: reference 3.1."""
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise _invalid("labels", "must be a map of strings")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key):
            raise _invalid("labels", f"invalid key {ascii(key)[:100]}: {_LABEL_RULE}")
        if not _LABEL_VALUE.fullmatch(value):
            raise _invalid("labels", f"invalid value {ascii(value)[:100]} of {key}: {_LABEL_RULE}")


_LABEL_RULE = "only lowercase letters, digits, underscores and dashes, 64 characters at most"


def _check(asked: JsonObject) -> None:
    """Raise Refused (400) for errors that the API detects in the call."""
    name = asked.get("displayName", "")
    if not name:
        raise _invalid("display_name", "is required")
    if len(name) > _LONGEST_DISPLAY_NAME:
        raise _invalid("display_name", f"must not be longer than {_LONGEST_DISPLAY_NAME} characters")
    if not asked.get("model"):
        raise _invalid("model", "is required")
    check_labels(asked.get("labels", {}))
    _check_config(asked.get("inputConfig", {}), "input_config", "instances_format", "instancesFormat", _SOURCES)
    _check_config(
        asked.get("outputConfig", {}), "output_config", "predictions_format", "predictionsFormat", _DESTINATIONS
    )


def _check_config(config: JsonObject, place: str, format_place: str, format_name: str, ways: dict[str, str]) -> None:
    """Check one source or destination and its format; only the formats of Gemini models are supported."""
    chosen = [way for way in ways if way in config]
    if not config or len(chosen) != 1:
        raise _invalid(place, f"exactly one of {', '.join(ways)} is required")
    given = config.get(format_name, "")
    if not given:
        raise _invalid(f"{place}.{format_place}", "is required")
    if given != ways[chosen[0]]:
        raise _invalid(f"{place}.{format_place}", f"{ascii(given)[:100]} does not go with {chosen[0]}")


def _invalid(place: str, what: str) -> Refused:
    detail = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": f"batch_prediction_job.{place}", "description": what}],
    }
    return Refused(400, f"Invalid value at 'batch_prediction_job.{place}': {what}.", details=[detail])
