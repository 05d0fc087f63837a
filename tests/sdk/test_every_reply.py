"""Every reply of the emulator's two batch services, in each state of a job and for each kind of refusal, is documented.

One scenario makes every call over HTTP; then each reply is held against the services' documents, and so is each line of
a result file. That the documents would notice is shown by replies that are changed, member by member.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchctl.emulator.embedded import open_embedded
from batchctl.emulator.gemini.routes import ROUTES as GEMINI_ROUTES
from batchctl.emulator.lifecycle import VERTEX_ONLY, State
from batchctl.emulator.vertex.routes import ROUTES as VERTEX_ROUTES
from tests.support.discovery import GEMINI, Exchange, method_of, reply_faults, service
from tests.support.discovery_traffic import Traffic, all_faults
from tests.support.discovery_values import Way
from tests.support.values import replace

PARENT = "/v1/projects/demo/locations/us-central1"
JOBS = f"{PARENT}/batchPredictionJobs"
MODEL = "models/gemini-2.5-flash"
GEMINI_STATES = [state for state in State if state not in VERTEX_ONLY]


def asked(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def seed() -> dict[str, Any]:
    lines = [{"request": asked("a")}, {"request": asked("b"), "custom_id": "c"}]
    vertex = {"api": "vertex", "project": "demo", "location": "us-central1", "model": "gemini-2.5-flash"}
    stages = {"gemini-2.5-flash": {"stage": "LEGACY", "retirementTime": "2100-01-01T00:00:00Z", "message": "soon"}}
    return {
        "settings": {"pending": "1s", "running": "2s", "models": stages},
        "buckets": {"input": {"objects": {"rows.jsonl": {"lines": lines}}}, "output": {}},
        "datasets": ["demo.answers"],
        "tables": {"demo.data.rows": {"rows": [{"request": asked("q"), "label": "x"}]}},
        "multimodalDatasets": [{"name": f"{PARENT.removeprefix('/v1/')}/datasets/7", "uris": ["gs://input/rows.jsonl"]}],
        "jobs": [
            *({**vertex, "displayName": state, "state": f"JOB_STATE_{state}"} for state in State),
            *(
                {"name": f"batches/{state.lower()}", "model": "gemini-2.5-flash", "displayName": state,
                 "state": f"BATCH_STATE_{state}", "rows": [{"key": "a", "text": "x"}], "results": [{"response": {}}]}
                for state in GEMINI_STATES
            ),
        ],
    }  # fmt: skip


class Caller:
    """A client of an emulator whose calls are recorded."""

    def __init__(self, path: Path) -> None:
        self.exchanges: list[Exchange] = []
        transport = Traffic(open_embedded(path), self.exchanges)
        headers = {"x-goog-api-key": "key", "authorization": "Bearer token"}
        self.http = httpx.Client(transport=transport, base_url="http://emulator", headers=headers, timeout=5)

    def __call__(self, verb: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        reply = self.http.request(verb, path, json=body, **more)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content and reply.headers["content-type"].startswith("application/json") else None

    def control(self, verb: str, name: str, body: Any) -> None:
        self(verb, f"/_emulator/{name}", body)

    def wait(self, time: str) -> None:
        self.control("POST", "clock", {"advance": time})


def vertex_body(**members: Any) -> dict[str, Any]:
    return {
        "displayName": "n",
        "model": "publishers/google/models/gemini-2.5-flash",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://input/rows.jsonl"]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://output/x"}},
        **members,
    }


COUNTED = {"contents": [{"role": "user", "parts": [{"text": "three short words"}]}]}


def drive_vertex(call: Caller) -> None:
    """Every call of Vertex AI."""
    table = {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://demo.data.rows"}}
    dataset = {
        "instancesFormat": "vertex-dataset",
        "vertexMultimodalDatasetSource": {"datasetName": f"{PARENT.removeprefix('/v1/')}/datasets/7"},
    }
    into = {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": "bq://demo.answers"}}
    also = {
        "predictionsFormat": "vertex-dataset",
        "vertexMultimodalDatasetDestination": {
            "displayName": "o",
            "bigqueryDestination": {"outputUri": "bq://demo.answers.theirs"},
        },
    }
    made = [
        call("POST", JOBS, vertex_body(labels={"a": "b"}, modelParameters={"x": 1})),
        call("POST", JOBS, vertex_body(inputConfig=table, outputConfig=into)),
        call("POST", JOBS, vertex_body(inputConfig=dataset, outputConfig=also)),
        call("POST", JOBS, vertex_body(inputConfig={**table, "bigquerySource": {"inputUri": "bq://demo.no.no"}})),
    ]
    page = call("GET", JOBS, params={"pageSize": 5, "filter": 'display_name="n" OR state="JOB_STATE_FAILED"'})
    call("GET", JOBS, params={"pageSize": 2, "readMask": "name,state,labels"})
    for job in (*call("GET", JOBS, params={"pageSize": 100})["batchPredictionJobs"], *page["batchPredictionJobs"]):
        call("GET", f"/v1/{job['name']}")
    call("POST", f"/v1/{made[1]['name']}:cancel")
    call("GET", f"/v1/{made[1]['name']}")
    call("DELETE", f"/v1/{made[2]['name']}", status=400)
    call.wait("2s")
    call("GET", JOBS)
    call.wait("1h")
    for job in made:
        call("GET", f"/v1/{job['name']}")
    for version in ("v1", "v1beta1"):
        operation = call("DELETE", f"/{version}/{made.pop()['name']}")
        call("GET", f"/{version}/{operation['name']}")
        call.wait("1m")
        call("GET", f"/{version}/{operation['name']}")
        call("GET", f"/{version}/publishers/google/models/gemini-2.5-flash")
    call("GET", "/v1beta1/publishers/google/models", params={"pageSize": 2})
    call("POST", f"{PARENT}/publishers/google/models/gemini-2.5-flash:countTokens", COUNTED)
    refuse_vertex(call)


def refuse_vertex(call: Caller) -> None:
    """What Vertex AI refuses."""
    failed = next(
        job["name"] for job in call("GET", JOBS, params={"filter": 'state="JOB_STATE_FAILED"'})["batchPredictionJobs"]
    )
    call("POST", f"/v1/{failed}:cancel", status=400)
    call("POST", JOBS, vertex_body(displayName=""), 400)
    call("POST", JOBS, vertex_body(color="red"), 400)
    call("POST", JOBS, vertex_body(model="publishers/google/models/nothing"), 404)
    call("POST", JOBS, vertex_body(model="publishers/google/models/veo-3.0"), 400)
    call("GET", f"{JOBS}/12345", status=404)
    call("GET", f"{PARENT}/operations/12345", status=404)
    call("GET", "/v1/publishers/google/models/nothing", status=404)
    call("GET", JOBS, params={"filter": "colour=red"}, status=400)
    call("GET", JOBS, headers={"authorization": "Bearer expired-1"}, status=401)


def drive_gemini(call: Caller) -> None:
    """Every call of the Developer API."""
    call("GET", "/v1beta/models", params={"pageSize": 3})
    call("POST", "/v1beta/models/gemini-2.5-flash:countTokens", COUNTED)
    call("GET", f"/v1/{MODEL}")
    file = upload(call, b'{"key":"a","request":{"contents":[{"parts":[{"text":"x"}]}]}}\n')
    call("GET", "/v1beta/files", params={"pageSize": 1})
    call("GET", f"/v1beta/{file}")
    row = {"request": asked("x"), "metadata": {"key": "k"}}
    bad = {"request": {"contents": [{"role": "x", "parts": [{"text": "x"}]}]}}
    hook = {"uris": ["https://example.com/"], "userMetadata": {"a": 1}}
    inline = {"inputConfig": {"requests": {"requests": [row, bad]}}}
    made = [
        call("POST", f"/v1/{MODEL}:batchGenerateContent", {"batch": {**inline, "displayName": "d", "priority": "-2"}}),
        call("POST", f"/v1beta/{MODEL}:batchGenerateContent", {"batch": {"inputConfig": {"fileName": file}}}),
        *(embed(call, model) for model in ("gemini-embedding-001", "gemini-embedding-2")),
    ]
    call("POST", f"/v1beta/{MODEL}:batchGenerateContent", {"batch": {**inline, "webhookConfig": hook}})
    generate = f"/v1beta/{made[0]['name']}:updateGenerateContentBatch"
    call("PATCH", generate, {"priority": "5"}, params={"updateMask": "priority"})
    call("POST", f"/v1beta/{made[1]['name']}:cancel")
    call.wait("2s")
    call("GET", "/v1beta/batches", params={"pageSize": 3})
    call.wait("1h")
    for name in (*(job["name"] for job in made), *(f"batches/{state.lower()}" for state in GEMINI_STATES)):
        call("GET", f"/v1beta/{name}")
    done = call("POST", f"/v1/{MODEL}:batchGenerateContent", {"batch": {"inputConfig": {"fileName": file}}})
    call.wait("1h")
    results = call("GET", f"/v1/{done['name']}")["response"]["responsesFile"]
    call("GET", f"/v1/{results}:download", params={"alt": "media"})
    call("GET", f"/download/v1beta/{results}:download", params={"alt": "media"})
    call("DELETE", f"/v1beta/{done['name']}")
    call("DELETE", f"/v1beta/{file}")
    refuse_gemini(call, file)


def embed(call: Caller, model: str) -> Any:
    request = {"content": {"parts": [{"text": "x"}]}, "outputDimensionality": 4}
    body = {"batch": {"inputConfig": {"requests": {"requests": [{"request": request}]}}}}
    return call("POST", f"/v1beta/models/{model}:asyncBatchEmbedContent", body)


def upload(call: Caller, content: bytes) -> str:
    headers = {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-type": "application/jsonl",
    }
    reply = call.http.post("/upload/v1beta/files", headers=headers, json={"file": {"displayName": "d"}})
    url = reply.headers["x-goog-upload-url"]
    for command, offset, piece in (("upload", 0, content[:5]), ("query", 5, b""), ("upload, finalize", 5, content[5:])):
        more = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
        reply = call.http.post(url, headers=more, content=piece)
    name: str = reply.json()["file"]["name"]
    return name


def refuse_gemini(call: Caller, file: str) -> None:
    """What the Developer API refuses."""
    create = f"/v1beta/{MODEL}:batchGenerateContent"
    call("POST", create, {"batch": {"inputConfig": {"fileName": file}}}, 404)
    call("POST", create, {"batch": {"colour": 1}}, 400)
    call("POST", "/v1beta/models/nothing:batchGenerateContent", {"batch": {}}, 404)
    call("GET", "/v1beta/models/nothing", status=404)
    call("GET", f"/v1beta/{file}", status=403)
    call("GET", "/v1beta/batches/none", status=404)
    call("GET", "/v1beta/files/batch-" + "a" * 36, status=400)
    call("GET", "/v1beta/batches", headers={"x-goog-api-key": "invalid"}, status=400)
    call.control("PUT", "faults", [{"kind": "status", "status": 429, "retryInfo": "7s", "count": 1},
                                   {"kind": "status", "status": 503, "count": 1}])  # fmt: skip
    call("GET", "/v1beta/batches", status=429)
    call("GET", JOBS, status=503)


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    call = Caller(tmp_path_factory.mktemp("emulator") / "emulator.db")
    call.control("PUT", "seed", seed())
    drive_gemini(call)
    drive_vertex(call)
    seen = call("GET", "/_emulator/requests")["byMethod"]
    assert {route.method for route in (*GEMINI_ROUTES, *VERTEX_ROUTES)} - seen.keys() == set()
    call.http.close()
    return call.exchanges


def replies(exchanges: list[Exchange], name: str) -> Iterator[Any]:
    for one in exchanges:
        if one.status == 200 and method_of(one).endswith(name):
            yield json.loads(one.reply)


def test_every_reply_is_documented(exchanges: list[Exchange]) -> None:
    assert [fault for one in exchanges for fault in reply_faults(one)] == []
    assert [fault for fault in all_faults(exchanges) if "(200)" in fault] == []


def test_every_state_was_seen(exchanges: list[Exchange]) -> None:
    vertex = {reply["state"] for reply in replies(exchanges, "batchPredictionJobs.get")}
    assert vertex == {f"JOB_STATE_{state}" for state in State}
    gemini = {reply["metadata"]["state"] for reply in replies(exchanges, "batches.get")}
    assert gemini == {f"BATCH_STATE_{state}" for state in GEMINI_STATES}


def test_every_line_of_results_is_documented(exchanges: list[Exchange]) -> None:
    values = service(GEMINI).values
    files = [one.reply for one in exchanges if method_of(one) == "files.download"]
    assert len(files) == 2
    for line in (json.loads(line) for reply in files for line in reply.splitlines()):
        assert list(values.faults(line, {"$ref": "ResultLine"}, "", Way.ANSWERED)) == []


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each member and item of a JSON value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in steps:
        yield (*above, step)
        yield from places(below, (*above, step))


def changed(value: Any, place: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """The same value with one place changed."""
    found = copy.deepcopy(value)
    inside = found
    for step in place[:-1]:
        inside = inside[step]
    change(inside, place[-1])
    return found


def rename(inside: Any, step: Any) -> None:
    if isinstance(inside, dict):
        inside[f"{step}X"] = inside.pop(step)
    else:
        inside[step] = {"unknown": {}}


def retype(inside: Any, step: Any) -> None:
    inside[step] = [[inside[step]]]


OPEN = {
    "labels": "names of the caller's own",
    "modelParameters": "any value, as the caller sent it",
    "error.details.metadata": "a map whose names are the service's own",
    "metadata.key": "beside a row: data of the caller's own",
    "@type": "an operation on Vertex AI whose message does not say what it is; google.longrunning lets it",
}
"""Ends of places where a change cannot be seen, each with its reason."""


@pytest.mark.parametrize("change", [rename, retype])
def test_a_reply_that_is_changed_is_noticed(exchanges: list[Exchange], change: Callable[[Any, Any], None]) -> None:
    unseen, tried = set(), 0
    for one in {(method_of(one), one.reply): one for one in exchanges}.values():
        if not one.reply or one.param("alt") == "media":
            continue
        reply = json.loads(one.reply)
        for place in places(reply):
            tried += 1
            if not reply_faults(replace(one, reply=json.dumps(changed(reply, place, change)).encode())):
                unseen.add(".".join(step for step in place if isinstance(step, str)))
    assert tried > 1000
    assert {place for place in unseen if not any(reason in place for reason in OPEN)} == set()
