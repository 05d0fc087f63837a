from __future__ import annotations

import json
import math
import tracemalloc
from typing import Any

import pytest

from batchctl.emulator import json_lines
from batchctl.emulator.json_lines import lines
from tests.support.embedded_emulator import EMBED_MODEL, MODEL, World


def ask(text: str) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": text}]}]}


def run_file(world: World, content: bytes, model: str = MODEL, method: str = "batchGenerateContent") -> list[Any]:
    job = world.create_from_file(world.upload(content)["name"], model, method)
    world.pass_time("3s")
    reply = world.http.get(f"/v1beta/files/batch-{job['name'][8:]}:download?alt=media")
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.content.splitlines()]


def run_one(world: World, request: dict[str, Any]) -> dict[str, Any]:
    job = world.post_batch(MODEL, {"inputConfig": {"requests": {"requests": [{"request": request}]}}})
    world.pass_time("3s")
    [item] = world.inline_results(job)
    return item


def answer(world: World, request: dict[str, Any]) -> str:
    return run_one(world, request)["response"]["candidates"][0]["content"]["parts"][0]["text"]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b"a"], [b"a"]),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\nc", b"", b"\n", b"d"], [b"ab", b"c", b"d"]),
        ([b"a\r\n\r\n", b" \n", b"b"], [b"a\r", b"b"]),
    ],
)
def test_lines_may_span_pieces(pieces: list[bytes], expected: list[bytes]) -> None:
    assert list(lines(pieces)) == expected


def test_answers_are_marked_as_the_emulators(world: World) -> None:
    response = run_one(world, ask("What is the tallest mountain on the continent of Europe, by prominence?"))[
        "response"
    ]
    text = (
        "[batchctl emulator] gemini-2.5-flash answers to: What is the tallest mountain on the continent of Europe, by "
    )
    assert response["candidates"] == [
        {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP", "index": 0}
    ]
    usage = response["usageMetadata"]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]
    assert response["modelVersion"] == "gemini-2.5-flash"
    assert response["responseId"]


def test_the_last_turn_of_the_user_is_answered(world: World) -> None:
    turns = [("user", "one"), ("model", "two"), ("user", "three"), ("model", "four")]
    request = {"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]}
    assert answer(world, request).endswith("answers to: three")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {"emulator": "[batchctl emulator] gemini-2.5-flash answers to: x"}),
        ({"responseSchema": {"type": "STRING", "enum": ["A", "B"]}}, "A"),
        ({"responseSchema": {"type": "STRING"}}, "[batchctl emulator] gemini-2.5-flash answers to: x"),
        ({"responseJsonSchema": {"type": "array", "items": {"type": "boolean"}, "minItems": 2}}, [True, True]),
        ({"responseSchema": {"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "0"}}, []),
        ({"responseSchema": {"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "many"}}, [0]),
        ({"responseJsonSchema": {"properties": {"n": {"type": ["null", "integer"], "minimum": 3}}}}, {"n": 3}),
        (
            {"responseJsonSchema": {"type": "object", "properties": {"a": {"type": "null"}, "b": True}}},
            {"a": None, "b": None},
        ),
        ({"responseJsonSchema": {"type": "object", "properties": 5}}, {}),
        ({"responseJsonSchema": {"type": ["null"]}}, None),
    ],
)
def test_json_is_answered_where_json_is_asked_for(world: World, config: dict[str, Any], expected: Any) -> None:
    text = answer(world, {**ask("x"), "generationConfig": {"responseMimeType": "application/json", **config}})
    assert json.loads(text) == expected


def test_a_recursive_schema_is_cut_off(world: World) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(20):
        schema = {"type": "object", "properties": {"a": schema}}
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    assert json.loads(answer(world, {**ask("x"), "generationConfig": config}))


def test_an_enum_is_answered_as_text(world: World) -> None:
    config = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["yes", "no"]}}
    assert answer(world, {**ask("x"), "generationConfig": config}) == "yes"
    assert answer(world, {**ask("x"), "generationConfig": {"responseMimeType": "text/x.enum"}}).startswith("[batchctl")


def test_one_content_or_part_needs_no_list(world: World) -> None:
    alone = {"contents": {"parts": {"text": "x"}}, "system_instruction": {"parts": {"text": "be brief"}}}
    assert answer(world, alone) == answer(world, {**ask("x"), "systemInstruction": {"parts": [{"text": "be brief"}]}})
    [found] = run_file(world, json.dumps({"key": "a", "request": alone}).encode())
    assert "response" in found


@pytest.mark.parametrize("role", ["USER", "User", "MODEL", "Function"])
def test_a_role_in_another_case_is_answered(world: World, role: str) -> None:
    assert "response" in run_one(world, {"contents": [{"role": role, "parts": [{"text": "x"}]}]})


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "contents is not specified"),
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "boss", "parts": [{"text": "x"}]}]}, "Please use a valid role: user, model."),
        ({**ask("x"), "generationConfig": {"candidateCount": 9}}, "candidate_count"),
    ],
)
def test_a_request_the_model_refuses_is_the_rows_own_error(
    world: World, request_: dict[str, Any], message: str
) -> None:
    item = run_one(world, request_)
    assert item["error"]["code"] == 3
    assert message in item["error"]["message"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{broken", "near column 1: Expecting property name"),
        ("[1]", "near column 1: Invalid value at '' (an object is expected)"),
        ('{"key": "no-request"}', "near column 1: no request"),
        ('{"key": 5, "request": {}}', "(TYPE_STRING), 5"),
        ('{"key": "\\ud800", "request": {}}', "(TYPE_STRING)"),
        ('{"key": "odd", "request": {"prompt": "x"}}', "near column 29: no such field"),
        ('{"key": "twice", "request": {"toolConfig": {}, "tool_config": {}}}', "given in both spellings"),
        ('{"key": "text", "request": {"systemInstruction": "be brief"}}', "(an object is expected)"),
        (json.dumps({"key": "beside", "request": ask("x"), "prompt": 1}), ": no such field"),
        (json.dumps({"request": {"tools": [{"cachedContent": "cachedContents/abc"}]}}), ": no such field"),
        (json.dumps(ask("bare")), "near column 3: no such field"),
        ("[" * 100_000, "near column 1: "),
    ],
)
def test_a_file_with_a_malformed_line_creates_no_job(world: World, line: str, says: str) -> None:
    good = json.dumps({"key": "good", "request": ask("x")})
    file = world.upload(f"{good}\n\n{line}\n{good}".encode())
    body = {"batch": {"inputConfig": {"fileName": file["name"]}}}
    error = world.refused(400, "POST", f"/v1beta/{MODEL}:batchGenerateContent", json=body)
    assert error["status"] == "INVALID_ARGUMENT"
    assert error["message"].startswith("Error on line 2: invalid JSON, ")
    assert says in error["message"]
    assert world.ok("GET", "/v1beta/batches") == {}


def test_a_request_that_the_model_refuses_fails_alone(world: World) -> None:
    rows = [{"key": "empty", "request": {}}, {"key": "good", "request": ask("x")}]
    bad, good = run_file(world, "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert (bad["key"], bad["error"]["code"]) == ("empty", 3)
    assert "response" in good
    [entry] = world.ok("GET", "/v1beta/batches")["operations"]
    stats = {"requestCount": "2", "successfulRequestCount": "1", "failedRequestCount": "1"}
    assert entry["metadata"]["batchStats"] == stats


def test_a_job_without_rows_fails(world: World) -> None:
    job = world.create_from_file(world.upload(b"\n\n")["name"])
    reply = world.finish(job)
    assert reply["metadata"]["state"] == "BATCH_STATE_FAILED"
    assert reply["error"] == {"code": 3, "message": "The input has no requests."}
    assert reply["metadata"]["batchStats"] == {}


def test_any_text_is_stored_and_returned(world: World) -> None:
    odd = "snow ☃ \u2028 \x00 \U0001f600"
    assert answer(world, ask(odd)).endswith(odd)


def test_vectors_are_stable_unit_vectors(world: World) -> None:
    def vector(**request: Any) -> list[float]:
        job = world.create_embed({"content": {"parts": [{"text": "a"}]}, **request})
        world.pass_time("3s")
        [item] = world.inline_results(job)
        assert item["response"]["tokenCount"] == "1"
        return item["response"]["embedding"]["values"]

    plain = vector()
    assert len(plain) == 768
    assert math.isclose(sum(value * value for value in plain), 1.0)
    assert vector() == plain
    assert vector(taskType="CLUSTERING") != plain
    assert vector(content={"parts": [{"text": "b"}]}) != plain
    assert len(vector(outputDimensionality="3072")) == 3072
    assert len(vector(output_dimensionality=64.0)) == 64
    assert len(vector(embedContentConfig={"outputDimensionality": 4, "autoTruncate": True})) == 4


def test_embedding_2_reports_usage_metadata(world: World) -> None:
    job = world.create_embed({"content": {"parts": [{"text": "abcde"}]}}, model="models/gemini-embedding-2")
    world.pass_time("3s")
    [item] = world.inline_results(job)
    assert item["response"].keys() == {"embedding", "usageMetadata"}
    assert item["response"]["usageMetadata"] == {"promptTokenCount": 2}


@pytest.mark.parametrize(
    "request_",
    [{}, {"content": {"parts": [{"text": ""}]}}, {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 0}],
)
def test_an_embed_request_the_model_refuses_is_the_rows_own_error(world: World, request_: dict[str, Any]) -> None:
    job = world.create_embed(request_)
    world.pass_time("3s")
    assert world.inline_results(job)[0]["error"]["code"] == 3


def test_embed_rows_come_from_files_too(world: World) -> None:
    content = b'{"key":"k1","request":{"output_dimensionality":8,"content":{"parts":[{"text":"x"}]}}}'
    [item] = run_file(world, content, EMBED_MODEL, "asyncBatchEmbedContent")
    assert (item["key"], len(item["response"]["embedding"]["values"])) == ("k1", 8)


def test_a_large_job_is_never_loaded_completely(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # A piece in which results are written is a small part of this job, too.
    monkeypatch.setattr(json_lines, "_BLOCK", 2**16)
    line = b'{"key":"some-key","request":{"contents":[{"parts":[{"text":"x"}]}]}}\n'
    chunk, chunks = line * 100, 50
    url = world.start_upload()
    for number in range(chunks):
        world.send(url, chunk, number * len(chunk), "upload")
    file = world.send(url, b"", 0, "finalize").json()["file"]
    tracemalloc.start()
    job = world.create_from_file(file["name"])
    world.pass_time("3s")
    with world.http.stream("GET", f"/v1beta/files/batch-{job['name'][8:]}:download?alt=media") as reply:
        size = sum(len(piece) for piece in reply.iter_raw())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 3, (peak, size)


def test_the_number_of_an_enum_is_accepted(world: World) -> None:
    content = {"parts": [{"text": "a"}]}
    job = world.create_embed(*[{"content": content, "taskType": kind} for kind in ("RETRIEVAL_DOCUMENT", 2, 1)])
    world.pass_time("3s")
    named, numbered, other = (item["response"]["embedding"] for item in world.inline_results(job))
    assert named == numbered != other


@pytest.mark.parametrize("kind", [9, -1, 1.5, "2", True, None, ["CLUSTERING"]])
def test_an_unknown_enum_number_is_refused(world: World, kind: Any) -> None:
    items = [{"request": {"content": {"parts": [{"text": "a"}]}, "taskType": kind}}]
    path = f"/v1beta/{EMBED_MODEL}:asyncBatchEmbedContent"
    reply = world.http.post(path, json={"batch": {"inputConfig": {"requests": {"requests": items}}}})
    assert reply.status_code == (200 if kind is None else 400), reply.text
