"""Every reply of the emulator goes into the SDK's types with all that those have a place for. Source: reference 5, 6.6."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from google.genai import types

from tests.support.sdk_clients import EMBED_MODEL, MODEL, Sdk, Service

STATES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}
ROWS = [{"key": "a", "text": "one"}, {"key": "b", "text": "two"}]
LINES = [{"key": "a", "request": {"contents": [{"parts": [{"text": "one"}]}]}}]
GIVEN: list[dict[str, Any]] = [
    {
        "metadata": {"key": "a"},
        "response": {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": "Bonjour"}, {"text": "hm", "thought": True}]},
                    "finishReason": "MAX_TOKENS",
                    "index": 0,
                    "avgLogprobs": -0.5,
                    "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}],
                }
            ],
            "promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7},
            "modelVersion": "gemini-2.5-flash",
            "responseId": "r1",
        },
    },
    {"metadata": {"key": "b"}, "error": {"code": 8, "message": "Quota."}},
]
JOBS: dict[str, dict[str, Any]] = {
    "rows": {"model": MODEL, "rows": ROWS},
    "file": {"model": MODEL, "inputFile": "files/in"},
    "given results": {"model": MODEL, "results": GIVEN},
    "embeddings": {"model": EMBED_MODEL, "kind": "embed", "rows": ROWS},
    "embeddings with usage": {"model": "gemini-embedding-2", "kind": "embed", "rows": ROWS},
    "embeddings, one failed": {"model": EMBED_MODEL, "kind": "embed", "rows": [*ROWS, {"key": "c", "text": ""}]},
    "embeddings of a file": {
        "model": EMBED_MODEL, "kind": "embed", "inputFile": "files/in", "results": [{"key": "a", "error": {"code": 3}}]
    },
}  # fmt: skip
TIMES = {"createTime": "2026-03-01T12:00:00.123456789Z", "endTime": "2026-03-01T13:00:00Z"}


def moment(text: str | None) -> datetime | None:
    """A time of the wire as far as the SDK keeps it: to the microsecond."""
    return None if text is None else datetime.fromisoformat(f"{text[:26].rstrip('Z')}+00:00")


def as_sent(model: Any) -> Any:
    """A model of the SDK in the wire's spelling."""
    return None if model is None else model.model_dump(mode="json", by_alias=True, exclude_none=True)


def as_parsed(item: dict[str, Any]) -> dict[str, Any]:
    """An item of the wire with the one change that the SDK makes: int64 counts become numbers."""
    response = item.get("response", {})
    return {**item, "response": {**response, "tokenCount": 1}} if "tokenCount" in response else item


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_job_in_any_state(sdk: Sdk, service: Service, job: dict[str, Any], state: str) -> None:
    times = TIMES if state in ENDED else {}
    named = {"name": "batches/one", "displayName": "Shop [x]", "state": f"BATCH_STATE_{state}", **times}
    service.seed(files=[{"name": "files/in", "lines": LINES}], jobs=[{**job, **named}])
    wire = service.raw("batches/one")
    batch = wire["metadata"]
    for got in (sdk.batches.get(name="batches/one"), *sdk.all(sdk.batches.list(config={"page_size": 5}))):
        assert (got.name, got.display_name, got.model) == (wire["name"], "Shop [x]", batch["model"])
        assert got.state.name == f"JOB_STATE_{state}"
        assert (got.done, wire.get("done", False)) == (state in ENDED, state in ENDED)
        assert got.create_time == moment(batch["createTime"])
        assert got.update_time == moment(batch["updateTime"])
        assert got.end_time == moment(batch.get("endTime"))
        assert (got.error, got.src, got.start_time, got.completion_stats) == (None, None, None, None)
    if state in ENDED:
        assert got.create_time == moment(TIMES["createTime"])
        assert got.end_time == got.update_time == moment(TIMES["endTime"])
    else:
        assert {"endTime", "output"} & batch.keys() == set()


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_the_output_of_a_job(sdk: Sdk, service: Service, job: dict[str, Any]) -> None:
    service.seed(
        files=[{"name": "files/in", "lines": LINES}],
        jobs=[{**job, "name": "batches/one", "state": "BATCH_STATE_SUCCEEDED"}],
    )
    output = service.raw("batches/one")["metadata"]["output"]
    dest = sdk.batches.get(name="batches/one").dest
    if "inputFile" in job:
        assert as_sent(dest) == {"fileName": output["responsesFile"]} == {"fileName": "files/batch-one"}
        return
    items = [as_parsed(item) for item in output["inlinedResponses"]["inlinedResponses"]]
    assert [item.get("metadata") for item in items] == [{"key": key} for key in "abc"[: len(items)]]
    if "kind" not in job:
        assert as_sent(dest) == {"inlinedResponses": items}
        return
    for item in items:
        # Only the older model's token count has a place in the SDK's type.
        item.get("response", {}).pop("usageMetadata", None)
    assert as_sent(dest) == {"inlinedEmbedContentResponses": items}


def test_a_list_has_no_inline_results(sdk: Sdk, service: Service) -> None:
    ended = {"state": "BATCH_STATE_SUCCEEDED"}
    service.seed(
        files=[{"name": "files/in", "lines": LINES}],
        jobs=[
            {**JOBS["rows"], "name": "batches/inline", **ended},
            {**JOBS["file"], "name": "batches/file", **ended},
        ],
    )
    dests = {job.name: job.dest for job in sdk.all(sdk.batches.list(config={"page_size": 5}))}
    assert dests.keys() == {"batches/inline", "batches/file"}
    assert dests["batches/inline"] is None
    assert dests["batches/file"].file_name == "files/batch-file"


def test_why_a_job_failed_stands_on_the_wire_alone(sdk: Sdk, service: Service) -> None:
    service.seed(jobs=[{**JOBS["rows"], "name": "batches/one", "state": "BATCH_STATE_FAILED", **TIMES}])
    assert service.raw("batches/one")["error"]["code"] == 13
    job = sdk.batches.get(name="batches/one")
    assert (job.state, job.error, job.dest) == (types.JobState.JOB_STATE_FAILED, None, None)


def test_a_file(sdk: Sdk, service: Service) -> None:
    service.seed(files=[{"name": "files/in", "displayName": "Rows", "content": "text", "mimeType": "text/plain",
                         "expirationTime": "2099-01-01T00:00:00Z"}])  # fmt: skip
    wire = service.raw("files/in")
    # The address names the version that was asked for, and the SDK's default is not that of `raw`.
    wire.pop("uri")
    for file in (sdk.files.get(name="files/in"), *sdk.all(sdk.files.list())):
        times = {name: wire[name] for name in ("createTime", "updateTime", "expirationTime")}
        assert [file.create_time, file.update_time, file.expiration_time] == list(map(moment, times.values()))
        sent = as_sent(file)
        sent.pop("sdkHttpResponse", None)
        assert sent.pop("uri").endswith("/files/in")
        assert {**sent, **times, "sizeBytes": str(sent["sizeBytes"])} == wire
