"""Every field of manifests and every member of requests, as batchctl sends it, is known to the service.

Calls are held against the discovery documents, rows for Vertex too; rows for the Developer API, which has no such
document, against the model of requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import MESSAGES, ROOTS
from batchctl.model.request.check import check_row_request
from tests.support.command_line import ROOT, Cli, StackFolder
from tests.support.discovery import Exchange, method_of, service
from tests.support.discovery_traffic import all_faults
from tests.support.discovery_values import Way
from tests.support.recorded_traffic import World
from tests.support.request_samples import Samples
from tests.support.traffic_exceptions import GIVEN, IN_ROWS, NEVER_SENT

SAMPLES = {Api.GEMINI: Samples(Api.GEMINI), Api.VERTEX: Samples(Api.VERTEX, GIVEN, NEVER_SENT)}
ROW = "GoogleCloudAiplatformV1beta1GenerateContentRequest"
VALUES = service("aiplatform.v1beta1").values
PROVIDERS = {
    "gemini": {"type": "gemini", "endpoint": "emulator"},
    "vertex": {
        "type": "vertex", "project": "demo", "location": "us-central1", "endpoint": "emulator",
        "stagingBucket": "gs://staging/rows/",
    },
}  # fmt: skip
LIFECYCLE = {
    "backoffLimit": 1, "retryOn": ["FAILED", "EXPIRED"], "pendingDeadline": "12h", "activeDeadline": "2h",
    "ttlAfterFinished": "7d", "onChange": "replace", "onRemove": "delete", "onMissing": "fail", "suspend": False,
    "protect": False, "maxFailedRows": "100%",
}  # fmt: skip


def requests_of(api: Api, kind: Kind) -> list[dict[str, Any]]:
    return list(SAMPLES[api].of(ROOTS[kind]))


def whole(api: Api, kind: Kind) -> dict[str, Any]:
    """One request with as many members as go together: a job's defaults."""
    found: dict[str, Any] = {}
    for request in requests_of(api, kind):
        merge(found, {name: value for name, value in request.items() if name not in OF_ROWS})
    if "generationConfig" in found:
        found["generationConfig"]["maxOutputTokens"] = 512
    return found


OF_ROWS = ("contents", "content", "model", "cachedContent")


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            merge(into[name], value)
        else:
            into.setdefault(name, value)


def write_rows(path: Path, requests: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps({"key": f"r{at}", "request": one}) + "\n" for at, one in enumerate(requests)))


def write_job(stack: StackFolder, name: str, kind: Kind, **spec: Any) -> None:
    text = stack.write_job(name, labels={"team": "search"}, **spec).read_text()
    stack.job_path(name).write_text(text.replace("kind: BatchJob", f"kind: {kind.value}"))


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sdk_environment: None
) -> Iterator[World]:
    stack = StackFolder(tmp_path / "stack")
    stack.write_stack(providers=PROVIDERS)
    seed = {"buckets": {"output": {}, "staging": {}}, "settings": {"pending": "0s", "running": "0s"}}
    (stack.path / ".emulator.yaml").write_text(yaml.safe_dump(seed))
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    world = World(stack, Cli(capsys))
    world.begin(monkeypatch)
    yield world
    assert world.exchanges
    assert all_faults(world.exchanges) == []


def write_all(stack: StackFolder) -> None:
    """Jobs that have every field of a manifest, over rows that have every member of a request."""
    folder = stack.path / "jobs"
    generate, embed = Kind.BATCH_JOB, Kind.EMBEDDINGS_BATCH_JOB
    write_rows(folder / "gemini.jsonl", requests_of(Api.GEMINI, generate))
    write_rows(folder / "embed.jsonl", requests_of(Api.GEMINI, embed))
    write_rows(folder / "vertex.jsonl", requests_of(Api.VERTEX, generate))
    common = {"displayName": "Über alles", "lifecycle": LIFECYCLE, "rows": {"accept": ["MAX_TOKENS"]}}
    common |= {"canary": {"rows": 100_000}, "sharding": {"maxRows": 1000}}
    hook = {"uris": ["https://example.com/hook"], "userMetadata": {"run": 7}}
    gemini = {**common, "provider": "gemini", "priority": -3, "webhookConfig": hook}
    write_job(stack, "file", generate, **gemini, src={"file": "gemini.jsonl"}, extraBody={"priority": "4"})
    row = [{"key": "a", "request": {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}, "metadata": {"n": 1}}]
    request = whole(Api.GEMINI, generate)
    more = {"extraRequest": {"generationConfig": {"seed": 7}}}
    write_job(stack, "inline", generate, **gemini, src=row, request=request, dependsOn=["file"], **more)
    model = {"model": "gemini-embedding-001"}
    write_job(stack, "vectors", embed, **gemini, **model, src={"file": "embed.jsonl"}, extraBody={"priority": "4"})
    content = [{"key": "a", "text": "x"}]
    request = whole(Api.GEMINI, embed)
    write_job(
        stack, "vector", embed, **gemini, **model, src=content, request=request, dependsOn=["file"], **more_of_embed
    )
    body = {"modelParameters": {"any": 1}, "serviceAccount": "runner@demo.iam.gserviceaccount.com"}
    vertex = {**common, "provider": "vertex", "dest": "gs://output/x"}
    write_job(stack, "staged", generate, **vertex, src={"file": "vertex.jsonl"}, extraBody=body)
    write_rows(folder / "one.jsonl", [{"contents": [{"role": "user", "parts": [{"text": "x"}]}]}])
    write_job(stack, "defaults", generate, **vertex, src={"file": "one.jsonl"}, request=whole(Api.VERTEX, generate))


more_of_embed = {"extraRequest": {"embedContentConfig": {"autoTruncate": True}}}


def sent_requests(world: World, api: Api) -> dict[str, list[Any]]:
    """The requests of all rows that went to an API, by the call that sent them."""
    found: dict[str, list[Any]] = {}
    for one in world.exchanges:
        is_vertex = method_of(one) == "storage.objects.insert"
        if is_vertex == (api is Api.VERTEX):
            found.setdefault(method_of(one), []).extend(rows_in(one))
    return found


def rows_in(exchange: Exchange) -> Iterator[Any]:
    if exchange.verb not in {"POST", "PUT"} or not exchange.body:
        return
    if exchange.is_session or method_of(exchange) == "storage.objects.insert":
        yield from (json.loads(line)["request"] for line in exchange.body.splitlines() if b'"request"' in line)
    elif "batch" in method_of(exchange).lower() and exchange.path.endswith("Content"):
        items = json.loads(exchange.body)["batch"]["inputConfig"].get("requests", {}).get("requests", [])
        yield from (item["request"] for item in items)


def test_every_field_that_is_sent_is_known_to_the_service(world: World) -> None:
    write_all(world.stack)
    ran = world.cli("apply", "--yes", "--wait")
    assert ran.code == 0, ran.err[:3000]
    assert set(world.phases().values()) == {"Succeeded"}, ran
    uploaded = sent_requests(world, Api.GEMINI)
    embeddings = {id(row) for rows in uploaded.values() for row in rows if "content" in row}
    for row in (row for rows in uploaded.values() for row in rows):
        kind = Kind.EMBEDDINGS_BATCH_JOB if id(row) in embeddings else Kind.BATCH_JOB
        assert [one for one in check_row_request(row, kind, Api.GEMINI) if not one.is_warning] == []
    staged = [row for rows in sent_requests(world, Api.VERTEX).values() for row in rows]
    faults = {fault for row in staged for fault in VALUES.faults(row, {"$ref": ROW}, "", Way.SENT)}
    undocumented = {fault for fault in faults if is_undocumented(fault)}
    assert undocumented, "rows have members that only the SDK knows"
    assert faults - undocumented == set(IN_ROWS), "a fault that is new, or an exception that is none any more"
    for api, rows in ((Api.GEMINI, [one for found in uploaded.values() for one in found]), (Api.VERTEX, staged)):
        wanted = {json.dumps(one, sort_keys=True) for one in requests_of(api, Kind.BATCH_JOB)}
        sent = {json.dumps(without_marks(row), sort_keys=True) for row in rows}
        assert wanted - sent == set(), api


def is_undocumented(fault: str) -> bool:
    """Whether it is about a member that the model of requests knows to be missing in the document."""
    place, _, message = fault.partition(": unknown field of ")
    members = {field.name for one in MESSAGES.values() for field in one.fields if field.undocumented_on is Api.VERTEX}
    return bool(message) and place.rpartition(".")[2] in members


def without_marks(row: Any) -> Any:
    """The row without the labels by which batchctl knows it again."""
    labels = {name: text for name, text in row.get("labels", {}).items() if not name.startswith("batchctl-")}
    rest = {name: value for name, value in row.items() if name != "labels"}
    return {**rest, "labels": labels} if labels else rest


@pytest.mark.parametrize("kind", Kind)
def test_no_field_of_a_manifest_is_left_out(tmp_path: Path, kind: Kind) -> None:
    stack = StackFolder(tmp_path)
    stack.write_stack(providers=PROVIDERS)
    write_all(stack)
    jobs = [yaml.safe_load(path.read_text()) for path in (tmp_path / "jobs").glob("*.yaml")]
    used = {name for job in jobs if job["kind"] == kind.value for name in job["spec"]}
    schema = json.loads((ROOT / "schemas" / f"{kind.value.lower()}.schema.json").read_text())
    assert schema["properties"]["spec"]["properties"].keys() - used == LEFT_OUT[kind]
    lifecycle = schema["definitions"]["lifecycle"]["properties"] if kind is Kind.BATCH_JOB else LIFECYCLE
    assert lifecycle.keys() == LIFECYCLE.keys()


LEFT_OUT = {
    Kind.BATCH_JOB: {"adopt", "matrix"},
    Kind.EMBEDDINGS_BATCH_JOB: {"adopt", "dest", "matrix"},
}
"""Nothing is sent for a job that is taken in, embeddings jobs of their own have no destination, and a matrix stands for
several manifests without one."""
