from __future__ import annotations

import io
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from batchctl.manifests.schema_fields import find_field
from batchctl.model.actions import Action
from batchctl.model.admission import LimitKind
from batchctl.model.attempts import CancelCause
from batchctl.model.decision import RuleApplied, Timer
from batchctl.model.errors import ApiStatus, BatchctlError, NotFound, RowsError
from batchctl.model.locations import RowProblem
from batchctl.model.outcome import Result
from batchctl.model.plan import DriftKind
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.model.why_not import Cause, ChangeKind, RuleStage, SmallChange, Way, WhyNot
from batchctl.report.describe_document import describe_document
from batchctl.report.description import JobDescription
from batchctl.report.diff import JobDiff, diff_document
from batchctl.report.documents import job_list
from batchctl.report.error_document import error_document
from batchctl.report.events import EventsReport, event_row, events_document
from batchctl.report.explain import ConditionType
from batchctl.report.explain_document import explain_document
from batchctl.report.field_text import field_document
from batchctl.report.job_document import (
    invalid_document,
    status_document,
    targets_document,
    valid_document,
    version_document,
)
from batchctl.report.plan_document import apply_document, drift_document, plan_document
from batchctl.report.reports import StatusReport
from batchctl.report.run_events import RunEvents
from batchctl.report.why_not import why_not_document
from tests.support.closed_schemas import closed, objects
from tests.support.report_samples import EXPLAINED, HOSTILE, INVALID, NOW, OPTIONS, STACK, VERSION
from tests.support.sample_plan import APPLY, DESCRIPTION, PLAN, QUIET_PLAN, STATUS

ROOT = Path(__file__).parents[2]
NAMES = (
    "plan",
    "apply",
    "status",
    "drift",
    "diff",
    "describe",
    "explain",
    "validate",
    "version",
    "error",
    "results-row",
    "run-event",
    "events",
    "events-row",
    "job-list",
    "field",
    "why-not",
    "validate-targets",
)
SCHEMAS = {name: json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8")) for name in NAMES}


def run_events():
    """One event of each kind, as a run writes them."""
    stream = io.StringIO()
    events = RunEvents(stream, lambda: NOW, lambda error: pytest.fail(str(error)))
    events.planned(PLAN)
    events.started("apply", "0.1.0")
    events.step("a", HOSTILE)
    events.warn(HOSTILE)
    events.waiting(PLAN.jobs, 2.0)
    events.results(PLAN, APPLY.outcomes)
    events.ended(65, INVALID)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def why_not():
    """A job that is not created, and a way to its creation."""
    stage = RuleStage(RuleApplied("same-work", "same work"), Action.NONE, Reason.NEW, "new", None)
    way = Way((SmallChange(ChangeKind.FLAG, "--rerun a"),), Action.CREATE, stage)
    return why_not_document(WhyNot("examples", "a", Action.CREATE, Cause.OTHER, (stage,), stage, (way,), True, 3))


SAMPLES = [
    ("why-not", why_not()),
    *(("run-event", one) for one in run_events()),
    ("plan", plan_document(PLAN, OPTIONS)),
    ("plan", plan_document(QUIET_PLAN, OPTIONS)),
    ("apply", apply_document(APPLY)),
    ("drift", drift_document(PLAN)),
    *(("diff", diff_document(JobDiff("examples", job, has_manifest=True, has_record=True))) for job in PLAN.jobs),
    ("job-list", job_list([diff_document(JobDiff("examples", PLAN.jobs[0], has_manifest=True, has_record=True))])),
    ("job-list", job_list([])),
    *(("field", field_document(find_field(path))) for path in ("stack", "spec.lifecycle.retryOn", "spec.src")),
    ("events", events_document(EventsReport("examples", DESCRIPTION.events))),
    *(("events-row", event_row("examples", event)) for event in DESCRIPTION.events),
    ("status", status_document(STATUS)),
    ("status", status_document(StatusReport("empty", ()))),
    ("describe", describe_document(DESCRIPTION)),
    ("describe", describe_document(JobDescription("examples", PLAN.jobs[0]))),
    *(("explain", explain_document(case)) for case in EXPLAINED),
    ("validate", valid_document(STACK)),
    ("validate", invalid_document(INVALID)),
    ("validate-targets", targets_document({"dev": invalid_document(INVALID), "prod": valid_document(STACK)})),
    ("version", version_document(VERSION)),
    ("error", error_document(INVALID)),
    ("error", error_document(BatchctlError("broken", details={"path": "x"}))),
    ("error", error_document(RowsError([RowProblem(3, "not JSON")]))),
    ("error", error_document(NotFound("gone", http=404, status="NOT_FOUND"))),
    ("results-row", {"key": "a", "index": 0, "response": {"candidates": []}}),
    ("results-row", {"key": None, "index": None, "error": {"code": 3, "message": "bad"}}),
]


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_sound_described_and_open(name):
    schema = SCHEMAS[name]
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    for part in objects(schema):
        assert part["description"]
        assert "additionalProperties" not in part
        for member, property_schema in part["properties"].items():
            assert property_schema.get("description"), member
            if property_schema.get("type") == "array":
                assert property_schema["items"].get("description"), member


@pytest.mark.parametrize(("name", "document"), SAMPLES)
def test_every_output_fits_its_schema_and_each_key_is_described(name, document):
    free_details = name == "error" and "path" in document["error"]["details"]
    schema = SCHEMAS[name] if free_details else closed(SCHEMAS[name])
    jsonschema.Draft7Validator(schema).validate(json.loads(json.dumps(document)))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"error", "results-row"}])
def test_outputs_carry_their_format(name):
    assert SCHEMAS[name]["properties"]["format"]["const"] == f"batchctl/{name}/v1"
    documents = [document for sample, document in SAMPLES if sample == name]
    assert {document["format"] for document in documents} == {f"batchctl/{name}/v1"}


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_key_is_noticed(name):
    document = next(document for sample, document in SAMPLES if sample == name)
    for key in SCHEMAS[name]["required"]:
        less = {other: value for other, value in document.items() if other != key}
        assert not jsonschema.Draft7Validator(SCHEMAS[name]).is_valid(less), key


@pytest.mark.parametrize(
    "row", [{"key": "a", "index": 0}, {"key": "a", "index": 0, "response": {}, "error": {}}, {"index": 0, "error": {}}]
)
def test_a_results_row_has_either_response_or_error(row):
    assert not jsonschema.Draft7Validator(SCHEMAS["results-row"]).is_valid(row)


@pytest.mark.parametrize("valid", [True, False])
def test_validate_has_jobs_or_errors(valid):
    document = {"format": "batchctl/validate/v1", "valid": valid}
    assert not jsonschema.Draft7Validator(SCHEMAS["validate"]).is_valid(document)


def test_the_words_of_the_schemas_are_those_of_the_model():
    action = SCHEMAS["apply"]["properties"]["actions"]["items"]["properties"]
    assert action["action"]["enum"] == [*Action]
    assert action["result"]["enum"] == [*Result]
    assert list(SCHEMAS["plan"]["properties"]["summary"]["properties"]) == [*Action]
    assert SCHEMAS["status"]["properties"]["jobs"]["items"]["properties"]["phase"]["enum"] == [*Phase]
    assert SCHEMAS["drift"]["properties"]["drift"]["items"]["properties"]["kind"]["enum"] == [*DriftKind]
    explain = SCHEMAS["explain"]["properties"]
    assert explain["conditions"]["items"]["properties"]["type"]["enum"] == [*ConditionType]
    assert explain["next"]["properties"]["timer"]["enum"] == [*Timer, None]
    assert explain["queue"]["properties"]["limit"]["enum"] == [*LimitKind]
    attempt = SCHEMAS["describe"]["properties"]["attempts"]["items"]["properties"]
    assert attempt["cancelCause"]["enum"] == [*CancelCause, None]


def test_an_api_error_keeps_its_status_beside_its_details():
    error = ApiStatus("no", http=409, status="ABORTED", details={"a": 1})
    assert error_document(error)["error"]["details"] == {"a": 1, "http": 409, "status": "ABORTED"}


EXAMPLES = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "json.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_documentation_fit_their_schemas(example):
    document = yaml.safe_load(example)
    name = (
        document["format"].split("/")[1] if "format" in document else "error" if len(document) == 1 else "results-row"
    )
    jsonschema.Draft7Validator(closed(SCHEMAS[name])).validate(json.loads(example))


def test_each_format_has_an_example_in_the_documentation():
    page = "\n".join(EXAMPLES)
    assert all(f"batchctl/{name}/v1" in page for name in NAMES if name not in {"error", "results-row"})
