from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.emulator.embedded import open_embedded
from batchctl.emulator.schemas import Invalid
from tests.support.vertex_calls import JOBS, PARENT, Vertex, asked

TOKEN = {"authorization": "Bearer t"}


def vertex_job(**members: Any) -> dict[str, Any]:
    place = {} if "name" in members else {"project": "demo", "location": "us-central1"}
    return {"api": "vertex", "displayName": "n", "model": "gemini-2.5-flash", **place, **members}


def seeded(vertex: Vertex, folder: Path, **members: Any) -> dict[str, Any]:
    vertex.seed(folder, jobs=[vertex_job(**members)])
    [job] = vertex.listed()
    return job


STATES = ["QUEUED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLING", "CANCELLED", "PAUSED", "EXPIRED"]
STATES += ["UPDATING", "PARTIALLY_SUCCEEDED"]


@pytest.mark.parametrize("state", STATES)
def test_a_seeded_job_has_the_given_state(vertex: Vertex, tmp_path: Path, state: str) -> None:
    job = seeded(vertex, tmp_path, state=f"JOB_STATE_{state}")
    vertex.pass_time("2h")
    assert vertex.listed(filter=f"state=JOB_STATE_{state}") == [job]
    assert job["state"] == f"JOB_STATE_{state}"
    done = {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"}
    assert ("endTime" in job) == (state in done)


@pytest.mark.parametrize(("state", "end"), [("PENDING", "EXPIRED"), ("RUNNING", "FAILED"), ("PAUSED", "PAUSED")])
def test_an_unfinished_seeded_job_ends_at_the_limits(vertex: Vertex, tmp_path: Path, state: str, end: str) -> None:
    job = seeded(vertex, tmp_path, state=state)
    vertex.pass_time("72h")
    assert vertex.state_of(job) == end


@pytest.mark.parametrize("state", ["QUEUED", "PENDING", "RUNNING", "PAUSED", "UPDATING", "CANCELLING"])
def test_an_unfinished_job_can_be_cancelled(vertex: Vertex, tmp_path: Path, state: str) -> None:
    job = seeded(vertex, tmp_path, state=state)
    vertex.cancel(job)
    vertex.pass_time("1s")
    assert vertex.state_of(job) == "CANCELLED"


def test_all_members_of_a_seeded_job_are_returned(vertex: Vertex, tmp_path: Path) -> None:
    error = {
        "code": 3,
        "message": "bad",
        "details": [{"@type": "type.googleapis.com/google.rpc.Help", "more": {"x": 1}}],
    }
    job = seeded(
        vertex,
        tmp_path,
        name=f"{PARENT}/batchPredictionJobs/42",
        displayName="Old",
        model="projects/demo/locations/us-central1/models/9",
        labels={"a": "b"},
        input=["gs://x/1", "gs://x/2"],
        output="bq://p.d",
        resource={"modelParameters": {"x": 1}, "service_account": "s"},
        state="JOB_STATE_FAILED",
        createTime="2026-02-01T00:00:00Z",
        startTime="2026-02-01T01:00:00Z",
        endTime="2026-02-04T00:00:00.5Z",
        error=error,
        partialFailures=[{"code": 5}],
        completionStats={"successfulCount": "7"},
        outputInfo={"bigqueryOutputTable": "t"},
    )
    number = job["model"].split("/")[1]
    assert job == {
        "name": f"{PARENT}/batchPredictionJobs/42",
        "displayName": "Old",
        "model": f"projects/{number}/locations/us-central1/models/9",
        "modelVersionId": "1",
        "labels": {"a": "b"},
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://x/1", "gs://x/2"]}},
        "outputConfig": {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": "bq://p.d"}},
        "modelParameters": {"x": 1},
        "serviceAccount": "s",
        "state": "JOB_STATE_FAILED",
        "createTime": "2026-02-01T00:00:00.000000Z",
        "startTime": "2026-02-01T01:00:00.000000Z",
        "endTime": "2026-02-04T00:00:00.500000Z",
        "updateTime": "2026-02-04T00:00:00.500000Z",
        "error": error,
        "partialFailures": [{"code": 5}],
        "completionStats": {"successfulCount": "7"},
        "outputInfo": {"bigqueryOutputTable": "t"},
    }
    for project in ("demo", number):
        assert vertex.ok("GET", f"{JOBS.replace('demo', project)}/42") == job
    vertex.seed(tmp_path, jobs=[vertex_job(name=f"projects/{number}/locations/us-central1/batchPredictionJobs/42")])
    assert vertex.listed() == [job]


def test_projects_have_the_numbers_of_the_seed(vertex: Vertex, tmp_path: Path) -> None:
    vertex.seed(tmp_path, projects={"demo": 77})
    assert vertex.make()["name"].startswith("projects/77/")
    assert vertex.listed() == vertex.ok("GET", JOBS.replace("demo", "77"))["batchPredictionJobs"]


@pytest.mark.parametrize("state", ["SUCCEEDED", "PARTIALLY_SUCCEEDED"])
def test_a_seeded_job_that_succeeded_has_its_output(vertex: Vertex, tmp_path: Path, state: str) -> None:
    lines = [asked("a"), asked("b")]
    place = {"input": "gs://fresh/in", "output": "gs://fresh/out"}
    times = {"createTime": "2026-02-01T00:00:00Z", "endTime": "2026-02-02T02:00:00Z"}
    vertex.seed(
        tmp_path,
        buckets={"fresh": {"objects": {"in": {"lines": lines}}}},
        jobs=[vertex_job(state=state, **place, **times)],
    )
    [job] = vertex.listed()
    done = "2" if state == "SUCCEEDED" else "1"
    assert (job["state"], job["completionStats"]["successfulCount"]) == (f"JOB_STATE_{state}", done)
    assert len(vertex.output(job)) == 2
    assert job["outputInfo"]["gcsOutputDirectory"].endswith("2026-02-02T02:00:00.000000Z")


def test_a_seeded_job_without_a_state_progresses(vertex: Vertex, tmp_path: Path) -> None:
    job = seeded(vertex, tmp_path, input="gs://in/rows.jsonl", output="gs://out/x")
    assert job["state"] == "JOB_STATE_PENDING"
    assert vertex.end(job)["completionStats"] == {"successfulCount": "4"}


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"name": "jobs/1"}, "seed.yaml.jobs[0].name: does not fit pattern"),
        ({"state": "DONE"}, "seed.yaml.jobs[0].state: does not fit pattern"),
        ({"rows": []}, "seed.yaml.jobs[0]: Additional properties"),
        ({"project": "x", "location": None}, "seed.yaml.jobs[0].location: must be of type"),
        ({"model": "veo-3"}, "seed.yaml.jobs[0]: Do not support publisher model veo-3"),
        ({"labels": {"A": ""}}, "seed.yaml.jobs[0]: Invalid value at 'batch_prediction_job.labels'"),
        ({"resource": {"size": 1}}, "seed.yaml.jobs[0]: Invalid JSON payload received. Unknown name"),
        ({"input": "gs://in/rows.jsonl"}, "seed.yaml.jobs[0]: a job without a state needs input and output"),
        ({"createTime": "soon"}, "seed.yaml.jobs[0].createTime: "),
        (
            {"createTime": "2026-02-01T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"},
            "seed.yaml.jobs[0].endTime: is earlier than the time of the previous step",
        ),
        (
            {"state": "SUCCEEDED", "input": "gs://in/none", "output": "gs://out/x"},
            "seed.yaml.jobs[0]: Failed to import data. The object gs://in/none does not exist.",
        ),
    ],
)
def test_a_wrong_job_is_refused_with_its_place(
    vertex: Vertex, tmp_path: Path, members: dict[str, Any], text: str
) -> None:
    with pytest.raises(Invalid) as caught:
        vertex.seed(tmp_path, jobs=[vertex_job(**members)])
    assert str(caught.value).startswith(text)
    assert vertex.listed() == []


def test_a_seeded_job_needs_a_name_or_a_location(vertex: Vertex, tmp_path: Path) -> None:
    job = {name: value for name, value in vertex_job(state="FAILED").items() if name != "location"}
    with pytest.raises(Invalid, match=r"jobs\[0\]: needs a name, or project and location"):
        vertex.seed(tmp_path, jobs=[job])


@pytest.mark.parametrize(
    ("settings", "member", "expected"),
    [
        ({"cancelling": "5s"}, "cancelling", 5 * 10**9),
        ({"outputFiles": 3}, "output_files", 3),
        ({"overdue": "partial"}, "overdue", "PARTIALLY_SUCCEEDED"),
        ({"overdue": "fail"}, "overdue", "FAILED"),
        ({"operationDelay": "1s", "importing": "2s"}, "operation_delay", 10**9),
    ],
)
def test_a_seed_changes_settings(vertex: Vertex, tmp_path: Path, settings: Any, member: str, expected: Any) -> None:
    vertex.seed(tmp_path, settings=settings)
    assert getattr(vertex.emulator.settings, member) == expected


def names(db: Path, seed: str | None) -> list[str]:
    with httpx.Client(transport=open_embedded(db), base_url="http://emulator", headers=TOKEN) as http:
        if seed is not None:
            assert http.put("/_emulator/seed", content=seed).status_code == 200
        jobs = http.get(JOBS).json().get("batchPredictionJobs", [])
        return [job["displayName"] for job in jobs]


def test_put_seed_loads_a_seed_once(tmp_path: Path) -> None:
    db = tmp_path / "e.db"
    job = "{api: vertex, project: demo, location: us-central1, displayName: A, model: gemini-2.5-flash, state: PAUSED}"
    seed = f"jobs: [{job}]"
    assert names(db, None) == []
    assert names(db, seed) == names(db, seed) == names(db, None) == ["A"]
    other = seed.replace("A,", "B,")
    assert names(db, other) == names(db, other) == ["B", "A"]
    with httpx.Client(transport=open_embedded(db), base_url="http://emulator") as http:
        http.post("/_emulator/reset")
    assert names(db, other) == ["B"]


def test_put_seed_refuses_an_invalid_seed_completely(tmp_path: Path) -> None:
    with httpx.Client(transport=open_embedded(tmp_path / "e.db"), base_url="http://emulator", headers=TOKEN) as http:
        answer = http.put("/_emulator/seed", content="buckets: {demo: }\nthings: []")
        assert (answer.status_code, "things" in answer.json()["error"]["message"]) == (400, True)
        assert http.get("/storage/v1/b/demo").status_code == 404
