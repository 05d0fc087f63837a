"""Whatever batchctl sends to Vertex AI, Cloud Storage and BigQuery, and whatever the emulator answers, is documented.

The command line runs over the embedded emulator, and every call is held against Google's discovery documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.manifests.accounts import resolve_account
from batchctl.model.keys import Api
from batchctl.model.stack import ProviderConfig
from batchctl.providers.cloud import storage
from tests.support.command_line import Cli
from tests.support.discovery import service
from tests.support.discovery_traffic import all_faults
from tests.support.recorded_traffic import World
from tests.support.sdk_vertex import DATASET, JOBS, LOCATION, PROJECT, PUBLISHED, VertexStack
from tests.support.values import replace

CALLS = "aiplatform.projects.locations"
EVERY_CALL = {
    f"{CALLS}.batchPredictionJobs.create",
    f"{CALLS}.batchPredictionJobs.get",
    f"{CALLS}.batchPredictionJobs.list",
    f"{CALLS}.batchPredictionJobs.cancel",
    f"{CALLS}.batchPredictionJobs.delete",
    f"{CALLS}.operations.get",
    "storage.objects.insert",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
    "bigquery.tables.get",
    "bigquery.tabledata.list",
}


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sdk_environment: None
) -> Iterator[World]:
    world = World(VertexStack(tmp_path / "stack"), Cli(capsys))
    world.begin(monkeypatch)
    monkeypatch.setattr(storage, "CHUNK", 256 * 1024)
    yield world
    assert world.exchanges
    assert all_faults(world.exchanges) == []


def test_a_whole_life(world: World) -> None:
    world.stack.write_jobs()
    world.cli.ok("apply", "--yes", "--wait")
    assert world.phases() == dict.fromkeys(JOBS, "Succeeded")
    counts = {name: len(world.cli.ok("results", name).rows) for name in JOBS}
    assert counts == {
        **dict.fromkeys(JOBS, 3),
        "several": 6,
        "table": 2,
        "table-anywhere": 2,
        "local": 100,
        "embeddings": 1,
    }
    for name in JOBS:
        world.stack.job_path(name).unlink()
    world.cli.ok("apply", "--yes", "--allow-empty", "--wait")
    assert [job["deleted"] for job in world.control("GET", "jobs")["jobs"]] == [True] * len(JOBS)
    assert world.calls().keys() == EVERY_CALL - {f"{CALLS}.batchPredictionJobs.cancel"}
    pieces = [one for one in world.exchanges if one.is_session]
    assert len(pieces) == 3
    for body in world.bodies("batchPredictionJobs.create"):
        assert body["labels"].keys() >= {"team", "batchctl-stack", "batchctl-token"}


def test_jobs_that_are_stopped(world: World) -> None:
    world.cli.ok("status")
    world.rules({"running": "1h"})
    for name in ("gcs", "table"):
        world.stack.write_job(name, **JOBS[name])
    world.cli.ok("apply", "--yes")
    world.cli.ok("cancel", "gcs", "--yes")
    world.stack.job_path("table").unlink()
    assert world.cli("apply", "--yes", "--wait").code == 4
    assert world.phases() == {"gcs": "Cancelled"}
    counted = world.calls()
    assert counted[f"{CALLS}.batchPredictionJobs.cancel"] == 2
    assert counted[f"{CALLS}.operations.get"] >= 1


BAD: dict[str, dict[str, Any]] = {
    "no-bucket": {"src": "gs://nowhere/in.jsonl", "dest": "gs://output/x"},
    "no-object": {"src": "gs://input/nothing.jsonl", "dest": "gs://output/x"},
    "no-dest": {"src": "gs://input/one.jsonl", "dest": "gs://nowhere/x"},
    "dest-exists": {"src": "bq://demo.data.rows", "dest": "bq://demo.data.rows"},
    "no-table": {"src": "bq://demo.data.nothing", "dest": "bq://demo.answers"},
}

SAID = {
    "no-bucket": "The bucket nowhere of gs://nowhere/in.jsonl does not exist",
    "no-dest": "The bucket nowhere of the destination",
    "dest-exists": "already exists",
    "refused": "Do not support publisher model veo-3.0",
}


def test_jobs_that_fail(world: World) -> None:
    for name, spec in BAD.items():
        world.stack.write_job(name, **spec)
    world.stack.write_job("refused", src="gs://input/one.jsonl", dest="gs://output/x", model="veo-3.0")
    world.stack.write_job("good", **JOBS["gcs"])
    assert world.cli("apply", "--yes", "--wait").code == 4
    assert world.phases() == {**dict.fromkeys(BAD, "Failed"), "refused": "Rejected", "good": "Succeeded"}
    told = {job["job"]: job["reason"] for job in world.cli("status", "-o", "json").json["jobs"]}
    for name, words in SAID.items():
        assert words in told[name]


FAULTS: dict[str, list[dict[str, Any]]] = {
    "quota": [{"method": "batchPredictionJobs.*", "kind": "status", "status": 429, "retryInfo": "2s", "count": 4}],
    "trouble": [{"kind": "status", "status": 503, "probability": 0.2, "seed": 7, "count": 12}],
    "lost replies": [
        {"method": "storage.objects.upload", "kind": "cut", "when": "after", "count": 2},
        {"kind": "cut", "when": "after", "probability": 0.2, "seed": 5, "count": 8},
    ],
    "odd replies": [
        {"method": "batchPredictionJobs.list", "kind": "emptyPage", "count": 1},
        {"method": "batchPredictionJobs.*", "kind": "staleStats", "count": 1},
        {"method": "batchPredictionJobs.create", "kind": "echoNormalised", "count": 1},
        {"method": "batchPredictionJobs.*", "kind": "forbiddenAfterDelete", "count": 99},
    ],
}


@pytest.mark.parametrize("name", FAULTS)
def test_in_bad_weather(world: World, name: str) -> None:
    world.stack.write_jobs()
    for job in set(JOBS) - {"dataset", "local", "table"}:
        world.stack.job_path(job).unlink()
    world.cli.ok("status")
    world.faults(*FAULTS[name])
    for _ in range(3):
        ran = world.cli("apply", "--yes", "--wait")
    assert world.phases() == dict.fromkeys(("dataset", "local", "table"), "Succeeded"), ran
    world.stack.job_path("dataset").unlink()
    world.cli.ok("apply", "--yes", "--wait")
    left = [fault["count"] for fault in world.control("GET", "faults")]
    assert all(now < fault["count"] or fault["count"] == 99 for now, fault in zip(left, FAULTS[name], strict=True))


def test_other_peoples_jobs(world: World) -> None:
    for name in ("gcs", "extra"):
        world.stack.write_job(name, **JOBS[name])
    world.cli.ok("apply", "--yes", "--wait")
    stranger = {
        "displayName": "theirs", "model": PUBLISHED,
        "inputConfig": {"instancesFormat": "vertex-dataset", "vertexMultimodalDatasetSource": {"datasetName": DATASET}},
        "outputConfig": {"predictionsFormat": "vertex-dataset", "vertexMultimodalDatasetDestination": {"displayName": "o", "bigqueryDestination": {"outputUri": "bq://demo.answers.theirs"}}},
    }  # fmt: skip
    with httpx.Client(transport=world.open(world.db), headers={"authorization": "Bearer t"}) as client:
        made = client.post(
            f"http://emulator/v1/projects/{PROJECT}/locations/{LOCATION}/batchPredictionJobs", json=stranger
        ).json()
    found = world.cli("drift", "--unmanaged", "-o", "json")
    assert [item["kind"] for item in found.json["drift"]] == ["Unmanaged"]
    world.cli.ok("import", made["name"], "--as", "taken")
    world.cli.ok("doctor")
    ran = world.cli.ok("apply", "--yes", "--wait")
    assert world.phases()["taken"] == "Succeeded", ran


NOT_FOR_USERS = ("preprod", "staging", "sandbox")


def endpoints() -> dict[str, str]:
    """The address for each location, by the document."""
    given = service("aiplatform.v1").document["endpoints"]
    return {
        one["location"]: one["endpointUrl"].rstrip("/")
        for one in given
        if not any(word in one["endpointUrl"] for word in NOT_FOR_USERS)
    }


def test_every_documented_location_is_asked_at_its_own_address() -> None:
    config = ProviderConfig("v", Api.VERTEX, None, PROJECT, "l")
    asked = {place: resolve_account(replace(config, location=place), {}).origin for place in endpoints()}
    assert asked == endpoints()
    assert len(asked) > 20
    everywhere = resolve_account(replace(config, location="global"), {})
    assert f"{everywhere.origin}/" == service("aiplatform.v1").document["rootUrl"]
