from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from batchctl.emulator.settings import Settings
from tests.support.embedded_emulator import MODEL, World

CREATE = f"/v1beta/{MODEL}:batchGenerateContent"
EMBED = "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent"
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]


def inline(*items: Any) -> dict[str, Any]:
    return {"inputConfig": {"requests": {"requests": list(items)}}}


def test_both_spellings_are_read_and_camel_case_is_answered(world: World) -> None:
    request = {
        "contents": CONTENTS,
        "system_instruction": {"parts": [{"text": "sys"}]},
        "generation_config": {"candidate_count": 2, "response_mime_type": "text/plain"},
        "safety_settings": [],
        "tool_config": {},
    }
    batch = {"display_name": "dn", "input_config": {"requests": {"requests": [{"request": request}]}}}
    job = world.post_batch(MODEL, batch)
    assert job["metadata"]["displayName"] == "dn"
    world.pass_time("3s")
    [item] = world.inline_results(job)
    assert len(item["response"]["candidates"]) == 2


def test_names_in_user_maps_are_unchanged(world: World) -> None:
    metadata = {"some_key": {"inner_name": [1]}, "someKey": "other"}
    request = {
        "contents": [{"parts": [{"function_call": {"name": "f", "args": {"snake_case": 1}}}]}],
        "labels": {"a_b": "c"},
        "tools": [{"function_declarations": [{"name": "f", "parameters": {"properties": {"x_y": {}}}}]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"snake_name": {"type": "INTEGER"}}},
        },
    }
    job = world.post_batch(MODEL, inline({"request": request, "metadata": metadata}))
    world.pass_time("3s")
    [item] = world.inline_results(job)
    assert item["metadata"] == metadata
    assert item["response"]["candidates"][0]["content"]["parts"] == [{"text": '{"snake_name": 0}'}]


def test_every_field_that_the_sdk_sends_is_accepted(world: World) -> None:
    request = {
        "model": "models/gemini-2.5-pro",
        "contents": CONTENTS,
        "systemInstruction": {"role": "user", "parts": [{"text": "sys"}]},
        "safetySettings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_ONLY_HIGH"}],
        "tools": [{"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "labels": {"a": "b"},
        "generationConfig": {"temperature": 0.1, "thinkingConfig": {"thinking_budget": 0}, "seed": None},
    }
    webhook = {"uris": ["https://e.example/x"], "user_metadata": {"a": 1}}
    job = world.post_batch(MODEL, {**inline({"request": request}), "webhookConfig": webhook, "displayName": "dn"})
    world.pass_time("3s")
    [item] = world.inline_results(job)
    assert item["response"]["modelVersion"] == "gemini-2.5-pro"
    assert "metadata" not in item


@pytest.mark.parametrize("beside", ["systemInstruction", "tools", "toolConfig", None])
def test_cached_content_excludes_instruction_and_tools(world: World, beside: str | None) -> None:
    others: dict[str, Any] = {
        "systemInstruction": {"parts": [{"text": "x"}]},
        "tools": [{"codeExecution": {}}],
        "toolConfig": {},
    }
    request = {"contents": CONTENTS, "cachedContent": "cachedContents/abc"}
    if beside is not None:
        request[beside] = others[beside]
    job = world.post_batch(MODEL, inline({"request": request}))
    world.pass_time("3s")
    [item] = world.inline_results(job)
    assert ("error" in item) == (beside is not None)
    assert "error" not in item or "CachedContent can not be used" in item["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "name", "place"),
    [
        (CREATE, {"batches": {}}, "batches", ""),
        (CREATE, {"batch": {"dest": "x"}}, "dest", "batch"),
        (CREATE, {"batch": {"inputConfig": {"gcsUri": "x"}}}, "gcsUri", "batch.input_config"),
        (CREATE, {"batch": inline({"key": "k"})}, "key", "batch.input_config.requests.requests[0]"),
        (
            CREATE,
            {"batch": inline({"request": {}}, {"request": {"prompt": 1}})},
            "prompt",
            "batch.input_config.requests.requests[1].request",
        ),
        (
            CREATE,
            {"batch": inline({"request": {"generation_config": {"temprature": 1}}})},
            "temprature",
            "batch.input_config.requests.requests[0].request.generation_config",
        ),
        (
            CREATE,
            {"batch": inline({"request": {"tools": [{"cachedContent": "cachedContents/abc"}]}})},
            "cachedContent",
            "batch.input_config.requests.requests[0].request.tools[0]",
        ),
        (
            CREATE,
            {"batch": inline({"request": {"generationConfig": {"thinking_config": {"budget": 1}}}})},
            "budget",
            "batch.input_config.requests.requests[0].request.generation_config.thinking_config",
        ),
        (
            EMBED,
            {"batch": inline({"request": {"contents": []}})},
            "contents",
            "batch.input_config.requests.requests[0].request",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_its_place(world: World, path: str, body: Any, name: str, place: str) -> None:
    error = world.refused(400, "POST", path, json=body)
    where = f" at '{place}'" if place else ""
    text = f'Unknown name "{name}"{where}: Cannot find field.'
    assert error["message"] == f"Invalid JSON payload received. {text}"
    assert error["status"] == "INVALID_ARGUMENT"
    assert error["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": place, "description": text}],
        }
    ]


def test_all_unknown_names_are_reported_together(world: World) -> None:
    error = world.refused(400, "POST", CREATE, json={"batch": {"dest": 1, "labels": {}}})
    assert [problem["description"][:20] for problem in error["details"][0]["fieldViolations"]] == [
        'Unknown name "dest" ',
        'Unknown name "labels',
    ]


@pytest.mark.parametrize(
    "batch",
    [
        {"displayName": 5},
        {"displayName": "\ud800"},
        {"priority": "high"},
        {"priority": True},
        {"priority": 1.5},
        {"priority": 2**63},
        {"inputConfig": []},
        {"inputConfig": {"requests": {"requests": {}}}},
        inline("text"),
        inline({"request": {"contents": "hi"}}),
        inline({"request": {"contents": [{"parts": [{"text": 1}]}]}}),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(world: World, batch: Any) -> None:
    assert (
        "Invalid value at 'batch" in world.refused(400, "POST", CREATE, content=json.dumps({"batch": batch}))["message"]
    )


def test_an_unknown_task_type_is_refused(world: World) -> None:
    request = {"content": CONTENTS[0], "taskType": "GUESSING"}
    error = world.refused(400, "POST", EMBED, json={"batch": inline({"request": request})})
    assert "task_type" in error["message"]
    request["taskType"] = 99
    world.refused(400, "POST", EMBED, json={"batch": inline({"request": request})})


@pytest.mark.parametrize(
    "batch",
    [
        {},
        {"inputConfig": {}},
        {"inputConfig": {"requests": {"requests": []}}},
        {"inputConfig": {"requests": {}}},
        {"inputConfig": {"fileName": "files/x", "requests": {"requests": [{"request": {"contents": CONTENTS}}]}}},
    ],
)
def test_input_is_exactly_one_of_file_and_requests(world: World, batch: Any) -> None:
    assert "batch.input_config" in world.refused(400, "POST", CREATE, json={"batch": batch})["message"]
    assert world.ok("GET", "/v1beta/batches") == {}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"batch": null}'])
def test_a_create_without_a_batch_is_refused(world: World, body: bytes) -> None:
    assert "batch is not specified" in world.refused(400, "POST", CREATE, content=body)["message"]


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b"[]", b'"batch"'])
def test_a_body_that_is_not_a_json_object_is_refused(world: World, body: bytes) -> None:
    assert world.refused(400, "POST", CREATE, content=body)["message"].startswith("Invalid JSON payload received.")


def deeper(frames: int, call: Callable[[], httpx.Response]) -> httpx.Response:
    return call() if frames == 0 else deeper(frames - 1, call)


@pytest.mark.parametrize(
    ("batch", "place"),
    [
        ({"inputConfig": {"requests": {"requests": [{"request": {}, "metadata": 5}]}}}, "requests[0].metadata"),
        ({"webhookConfig": {"uris": ["https://a.example/"], "userMetadata": []}}, "webhook_config.user_metadata"),
    ],
)
def test_metadata_is_an_object(world: World, batch: Any, place: str) -> None:
    error = world.refused(400, "POST", CREATE, json={"batch": batch})
    assert f"{place}' (type.googleapis.com/google.protobuf.Struct)" in error["message"]


@pytest.mark.parametrize("member", ["url", "userData"])
def test_unknown_members_of_a_webhook_are_refused(world: World, member: str) -> None:
    error = world.refused(400, "POST", CREATE, json={"batch": {"webhookConfig": {member: "x"}}})
    assert f'Unknown name "{member}"' in error["message"]


def test_deep_nesting_is_refused_without_effect(world: World) -> None:
    """The limit depends on the depth of the caller's stack; there is always a reply."""

    def create(depth: int) -> httpx.Response:
        value = "[" * depth + "]" * depth
        body = '{"batch":{"inputConfig":{"requests":{"requests":[{"request":{},"metadata":{"a":' + value + "}}]}}}}"
        return world.http.post(CREATE, content=body.encode())

    deepest = max(depth for depth in range(600, 1000) if create(depth).status_code == 200)
    job = create(deepest).json()
    world.pass_time("3s")
    assert world.http.get(f"/v1beta/{job['name']}").status_code == 200
    reply = deeper(60, lambda: world.http.get(f"/v1beta/{job['name']}"))
    # from Python 3.12 on, the depth of the caller does not matter
    assert (reply.status_code, "nested too deeply" in reply.text) in {(400, True), (200, False)}
    made = len(world.ok("GET", "/_emulator/jobs")["jobs"])
    assert world.emulator.store.rows("SELECT count(DISTINCT blob) FROM pieces") == [(made,)]


@pytest.mark.parametrize("file", ["files/none", "none", "files/batch-" + "a" * 36])
def test_a_missing_input_file_is_not_found(world: World, file: str) -> None:
    error = world.refused(404, "POST", CREATE, json={"batch": {"inputConfig": {"file_name": file}}})
    assert error["message"] == "Requested entity was not found."


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-pro-preview", "gemma-3-27b-it"])
def test_generative_models_generate_and_do_not_embed(world: World, model: str) -> None:
    world.create(model=f"models/{model}")
    error = world.refused(404, "POST", f"/v1beta/models/{model}:asyncBatchEmbedContent", json={"batch": {}})
    assert error["message"].startswith(
        f"models/{model} is not found for API version v1beta, or is not supported for asyncBatchEmbedContent. Call List"
    )


@pytest.mark.parametrize("model", ["gemini-embedding-001", "gemini-embedding-2", "text-embedding-004", "embedding-001"])
def test_embedding_models_embed_and_do_not_generate(world: World, model: str) -> None:
    world.create_embed({"content": CONTENTS[0]}, model=f"models/{model}")
    world.refused(404, "POST", f"/v1/models/{model}:batchGenerateContent", json={"batch": {}})


@pytest.mark.parametrize(
    "model", ["models/imagen-4", "models/gpt-5", "models/gemini-", "models/gemini-x y", "models/x/y"]
)
def test_other_models_are_not_found(world: World, model: str) -> None:
    error = world.refused(404, "POST", f"/v1alpha/{model}:batchGenerateContent", json={"batch": {}})
    assert (error["status"], "API version v1alpha" in error["message"]) == ("NOT_FOUND", True)


def test_tuned_models_generate(world: World) -> None:
    assert world.create(model="tunedModels/mine-1")["metadata"]["model"] == "tunedModels/mine-1"


def test_a_call_without_a_key_is_forbidden(world: World) -> None:
    error = world.refused(403, "GET", "/v1beta/batches", headers={"x-goog-api-key": ""})
    assert error["status"] == "PERMISSION_DENIED"
    assert "unregistered callers" in error["message"]


@pytest.mark.parametrize(
    ("headers", "params"), [({"x-goog-api-key": "invalid1"}, {}), ({"x-goog-api-key": ""}, {"key": "invalid"})]
)
def test_an_invalid_key_is_refused(world: World, headers: dict[str, str], params: dict[str, str]) -> None:
    error = world.refused(400, "GET", "/v1beta/batches", headers=headers, params=params)
    assert error["message"] == "API key not valid. Please pass a valid API key."
    assert error["details"][0]["reason"] == "API_KEY_INVALID"


def test_all_other_keys_belong_to_one_project(world: World) -> None:
    job = world.create()
    found = world.ok("GET", f"/v1beta/{job['name']}", params={"key": "other"}, headers={"x-goog-api-key": ""})
    assert found["name"] == job["name"]


def test_a_body_over_the_limit_is_refused(world: World) -> None:
    body = b'{"batch":{"displayName":"' + b"x" * 20_971_520 + b'"}}'
    error = world.refused(400, "POST", CREATE, content=body)
    assert error["message"] == "Request payload size exceeds the limit: 20971520 bytes."


def test_the_limit_itself_is_allowed(tmp_path) -> None:
    body = b'{"batch":{"inputConfig":{"requests":{"requests":[{"request":{}}]}}}}'
    for limit, status in ((len(body), 200), (len(body) - 1, 400)):
        world = World(tmp_path / f"{limit}.db", Settings(max_body=limit))
        assert world.http.post(CREATE, content=body).status_code == status
        world.http.close()


def test_output_only_fields_are_ignored(world: World) -> None:
    batch = {**inline({"request": {"contents": CONTENTS}}), "name": "batches/mine", "state": "BATCH_STATE_SUCCEEDED"}
    job = world.post_batch(MODEL, batch)
    assert job["name"] != "batches/mine"
    assert job["metadata"]["state"] == "BATCH_STATE_PENDING"
