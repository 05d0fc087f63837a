from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.settings import Settings
from batchctl.emulator.vertex.resource_names import project_number
from tests.support.vertex_calls import GCS, JOBS, MODEL, TABLE, TO_GCS, Vertex, body


def test_a_new_job_is_the_bare_resource(vertex: Vertex) -> None:
    job = vertex.make(labels={"owner": "me"})
    number = project_number(vertex.store, "demo")
    assert re.fullmatch(rf"projects/{number}/locations/us-central1/batchPredictionJobs/[0-9]+", job["name"])
    assert re.fullmatch(r"[0-9]{12}", number)
    assert job == {
        "name": job["name"],
        "displayName": "n",
        "model": MODEL,
        "inputConfig": GCS,
        "outputConfig": TO_GCS,
        "labels": {"owner": "me"},
        "modelVersionId": "1",
        "state": "JOB_STATE_PENDING",
        "createTime": "2026-03-01T12:00:00.000000Z",
        "updateTime": "2026-03-01T12:00:00.000000Z",
    }
    assert vertex.see(job) == job
    assert vertex.listed() == [job]


def test_a_finished_job_has_times_counts_and_output(vertex: Vertex) -> None:
    done = vertex.end(vertex.make())
    directory = "gs://out/here/prediction-model-2026-03-01T12:00:03.000000Z"
    assert {name: done[name] for name in done.keys() - body().keys() - {"name"}} == {
        "modelVersionId": "1",
        "state": "JOB_STATE_SUCCEEDED",
        "createTime": "2026-03-01T12:00:00.000000Z",
        "startTime": "2026-03-01T12:00:01.000000Z",
        "endTime": "2026-03-01T12:00:03.000000Z",
        "updateTime": "2026-03-01T12:00:03.000000Z",
        "completionStats": {"successfulCount": "4"},
        "outputInfo": {"gcsOutputDirectory": directory},
    }


def test_a_job_waits_a_second_and_runs_two(vertex: Vertex) -> None:
    job = vertex.make()
    states = []
    for _ in range(4):
        states.append(vertex.state_of(job))
        vertex.pass_time("1s")
    assert states == ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_project_is_known_by_its_number_too(vertex: Vertex, version: str) -> None:
    number = project_number(vertex.store, "demo")
    job = vertex.make(JOBS.replace("demo", number).replace("v1", version))
    assert vertex.ok("GET", f"/{version}/{job['name'].replace(number, 'demo')}") == job
    assert vertex.ok("GET", f"/{version}/{job['name']}") == job
    assert vertex.listed() == [job]
    for other in (f"/v1/projects/{number}1", "/v1/projects/other"):
        assert vertex.ok("GET", f"{other}/locations/us-central1/batchPredictionJobs") == {}
    assert vertex.ok("GET", JOBS.replace("us-central1", "europe-west1")) == {}


def test_equal_creates_make_two_jobs(vertex: Vertex) -> None:
    assert vertex.make()["name"] != vertex.make()["name"]


def test_both_spellings_and_all_members_are_accepted(vertex: Vertex) -> None:
    extras = {
        "modelParameters": {"some_name": 1.5},
        "serviceAccount": "a@b",
        "encryptionSpec": {"kmsKeyName": "k"},
        "dedicatedResources": {"startingReplicaCount": 1},
    }
    job = vertex.make(
        **extras,
        displayName=None,
        display_name="n2",
        inputConfig=None,
        input_config={"instances_format": "jsonl", "gcs_source": {"uris": "gs://in/rows.jsonl"}},
        state="JOB_STATE_SUCCEEDED",
        name="mine",
        createTime="2020-01-01T00:00:00Z",
    )
    assert {name: job[name] for name in extras} == extras
    assert (job["displayName"], job["inputConfig"], job["state"]) == ("n2", GCS, "JOB_STATE_PENDING")
    assert job["createTime"].startswith("2026")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"displayName": None}, "'batch_prediction_job.display_name': is required"),
        ({"displayName": "x" * 129}, "'batch_prediction_job.display_name': must not be longer than 128"),
        ({"model": None}, "'batch_prediction_job.model': is required"),
        ({"model": "publishers/google/models/veo-3"}, "Do not support publisher model veo-3"),
        ({"model": "publishers/google/models/gemini-embedding-2"}, "MODEL_NOT_SUPPORTED_FOR_BATCH"),
        ({"model": "gemini-2.5-flash"}, "Invalid resource field value in the request"),
        ({"model": "projects/demo/locations/global/models/1"}, "Tuned models are not supported in the global"),
        ({"model": "projects/demo/locations/eu/models/1"}, "The model projects/demo/locations/eu/models/1 must be in"),
        ({"labels": {"Owner": "me"}}, "invalid key 'Owner'"),
        ({"labels": {"owner": "Me"}}, "invalid value 'Me' of owner"),
        ({"labels": {"a" * 65: ""}}, "invalid key"),
        ({"labels": {"a": "b" * 65}}, "invalid value"),
        ({"labels": {"a": 1}}, "must be a map of strings"),
        ({"labels": []}, "must be a map of strings"),
        ({"inputConfig": None}, "'batch_prediction_job.input_config': exactly one of"),
        ({"inputConfig": {**GCS, **TABLE}}, "'batch_prediction_job.input_config': exactly one of"),
        ({"inputConfig": {"gcsSource": {"uris": ["gs://a/b"]}}}, "input_config.instances_format': is required"),
        ({"inputConfig": {**GCS, "instancesFormat": "csv"}}, "'csv' does not go with gcsSource"),
        ({"outputConfig": None}, "'batch_prediction_job.output_config': exactly one of"),
        ({"outputConfig": {**TO_GCS, "predictionsFormat": "bigquery"}}, "'bigquery' does not go with gcsDestination"),
        ({"priority": 1}, "Unknown name \"priority\" at 'batch_prediction_job': Cannot find field."),
        ({"inputConfig": {**GCS, "fileName": "x"}}, "Unknown name \"fileName\" at 'batch_prediction_job.input_config'"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": 5}}}, "a list is expected"),
    ],
)
def test_invalid_create_calls_are_refused(vertex: Vertex, members: dict[str, Any], text: str) -> None:
    error = vertex.refused(400, "POST", JOBS, json=body(**members))
    assert error["status"] == "INVALID_ARGUMENT"
    assert text in error["message"]
    assert vertex.listed() == []


@pytest.mark.parametrize("project", ["demo", "other"])
def test_a_published_model_may_have_its_full_name(vertex: Vertex, project: str) -> None:
    full = f"projects/{project}/locations/us-central1/{MODEL}"
    vertex.rules({"match": {"model": "gemini-2.5-flash"}, "pending": "1h"}, {"pending": "9h"})
    job = vertex.make(model=full)
    assert (job["model"], vertex.listed(filter='model_display_name="gemini-2.5-flash"')) == (full, [job])
    vertex.pass_time("2h")
    assert vertex.state_of(job) == "SUCCEEDED"
    partner = f"projects/{project}/locations/us-central1/publishers/anthropic/models/claude"
    vertex.make(model=partner)
    for wrong in ("projects/demo/locations/europe-west1/", "projects/demo/"):
        vertex.refused(400, "POST", JOBS, json=body(model=wrong + MODEL))
    vertex.refused(404, "POST", JOBS, json=body(model=full.replace("gemini", "gpt")))
    vertex.ok("PUT", "/_emulator/settings", json={"models": {"gemini-2.5-flash": {"stage": "RETIRED"}}})
    vertex.refused(404, "POST", JOBS, json=body(model=full))


def test_a_missing_model_is_not_found(vertex: Vertex) -> None:
    error = vertex.refused(404, "POST", JOBS, json=body(model="publishers/google/models/gpt"))
    assert (error["status"], error["message"]) == ("NOT_FOUND", "The PublisherModel gpt does not exist.")


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        "publishers/google/models/gemini-embedding-001",
        "publishers/google/models/text-embedding-005",
        "publishers/meta/models/llama-4",
        "projects/demo/locations/us-central1/models/77@2",
    ],
)
def test_models_that_support_batch_jobs(vertex: Vertex, model: str) -> None:
    number = project_number(vertex.store, "demo")
    assert vertex.make(model=model)["model"] == model.replace("demo", number)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"authorization": ""}, "CREDENTIALS_MISSING"),
        ({"authorization": "", "x-goog-api-key": "key"}, "CREDENTIALS_MISSING"),
        ({"authorization": "Basic abc"}, "CREDENTIALS_MISSING"),
        ({"authorization": "Bearer "}, "CREDENTIALS_MISSING"),
        ({"authorization": "Bearer expired-1"}, "ACCESS_TOKEN_EXPIRED"),
    ],
)
def test_a_caller_needs_a_token(vertex: Vertex, headers: dict[str, str], reason: str) -> None:
    for method, path in [("GET", JOBS), ("POST", JOBS), ("GET", f"{JOBS}/1"), ("GET", "/storage/v1/b/in/o")]:
        error = vertex.refused(401, method, path, headers=headers)
        assert error.get("status", "UNAUTHENTICATED") == "UNAUTHENTICATED"
        assert not path.startswith("/v1") or error["details"][0]["reason"] == reason


def test_tokens_are_not_stored(vertex: Vertex, tmp_path: Path) -> None:
    vertex.http.headers["authorization"] = "Bearer very-secret-token"
    vertex.end(vertex.make())
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"prediction-model" in stored
    assert b"very-secret-token" not in stored


def test_a_finished_job_can_be_deleted(vertex: Vertex) -> None:
    job = vertex.end(vertex.make())
    operation = vertex.ok("DELETE", f"/v1/{job['name']}")
    assert re.fullmatch(rf"{job['name'].partition('/batch')[0]}/operations/[0-9]+", operation.pop("name"))
    assert operation == {
        "metadata": {
            "@type": "type.googleapis.com/google.cloud.aiplatform.v1.DeleteOperationMetadata",
            "genericMetadata": {
                "createTime": "2026-03-01T12:00:03.000000Z",
                "updateTime": "2026-03-01T12:00:03.000000Z",
            },
        },
        "done": True,
        "response": {"@type": "type.googleapis.com/google.protobuf.Empty"},
    }
    assert vertex.refused(404, "GET", f"/v1/{job['name']}")["status"] == "NOT_FOUND"
    vertex.refused(404, "DELETE", f"/v1/{job['name']}")
    assert vertex.listed() == []
    assert len(vertex.outputs()) == 1
    [kept] = vertex.ok("GET", "/_emulator/jobs")["jobs"]
    assert (kept["api"], kept["state"], kept["deleted"]) == ("vertex", "JOB_STATE_SUCCEEDED", True)


@pytest.mark.parametrize("age", ["0s", "1s"])
def test_an_unfinished_job_cannot_be_deleted(vertex: Vertex, age: str) -> None:
    job = vertex.make()
    vertex.pass_time(age)
    assert vertex.refused(400, "DELETE", f"/v1/{job['name']}")["status"] == "FAILED_PRECONDITION"
    assert vertex.state_of(job) in {"PENDING", "RUNNING"}


def test_a_delete_operation_may_take_time(tmp_path: Path) -> None:
    vertex = Vertex(tmp_path / "slow.db", Settings(operation_delay=60 * 10**9))
    job = vertex.end(vertex.make())
    operation = vertex.ok("DELETE", f"/v1beta1/{job['name']}")
    assert operation.keys() == {"name", "metadata"}
    assert ".v1beta1." in operation["metadata"]["@type"]
    vertex.pass_time("59s")
    assert vertex.ok("GET", f"/v1beta1/{operation['name']}") == operation
    vertex.pass_time("1s")
    done = vertex.ok("GET", f"/v1/{operation['name']}")
    assert done["done"] is True
    assert done["metadata"]["genericMetadata"]["updateTime"] == "2026-03-01T12:01:03.000000Z"
    vertex.refused(404, "GET", f"/v1/{operation['name']}1")
    vertex.http.close()


def test_an_unknown_job_is_not_found(vertex: Vertex) -> None:
    for method, path in [("GET", f"{JOBS}/5"), ("DELETE", f"{JOBS}/5"), ("POST", f"{JOBS}/5:cancel")]:
        assert vertex.refused(404, method, path)["status"] == "NOT_FOUND"


def test_calls_are_counted_and_jobs_are_shown(vertex: Vertex) -> None:
    job = vertex.make(labels={"a": "b"})
    vertex.see(job)
    vertex.cancel(job)
    vertex.listed()
    vertex.pass_time("1s")
    operation = vertex.ok("DELETE", f"/v1/{job['name']}")
    vertex.ok("GET", f"/v1/{operation['name']}")
    assert vertex.ok("GET", "/_emulator/requests") == {
        "total": 6,
        "byMethod": {
            **{f"batchPredictionJobs.{call}": 1 for call in ("cancel", "create", "delete", "get", "list")},
            "operations.get": 1,
        },
    }
    [seen] = vertex.ok("GET", "/_emulator/jobs")["jobs"]
    assert (seen["api"], seen["labels"], seen["name"]) == ("vertex", {"a": "b"}, job["name"])
    assert seen["state"] == "JOB_STATE_CANCELLED"


def test_the_two_apis_do_not_see_each_others_jobs(vertex: Vertex) -> None:
    made, gemini = vertex.make(), vertex.create("x")
    assert [job["name"] for job in vertex.listed()] == [made["name"]]
    assert [job["name"] for job in vertex.ok("GET", "/v1beta/batches")["operations"]] == [gemini["name"]]
    assert {job["api"] for job in vertex.ok("GET", "/_emulator/jobs")["jobs"]} == {"vertex", "gemini"}
