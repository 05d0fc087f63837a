"""The SDK's batch calls against the served emulator: what it sends is taken, and what it gets makes sense to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import types

from tests.support.sdk_clients import EMBED_MODEL, FOR_LONG, MODEL, Sdk, Service, asked, lines

SUCCEEDED = types.JobState.JOB_STATE_SUCCEEDED


def upload(sdk: Sdk, tmp_path: Any, *rows: Any) -> str:
    """An input file of these lines; gives its name."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    name: str = sdk.files.upload(file=path, config={"mime_type": "jsonl"}).name
    return name


def answer(item: types.InlinedResponse) -> str:
    """The text of an inline response."""
    assert item.response is not None
    assert item.error is None
    text: str | None = item.response.text
    assert text is not None
    return text


def test_inline_requests_come_back_in_order_with_their_metadata(sdk: Sdk, service: Service) -> None:
    made = sdk.batches.create(
        model=MODEL, src=[asked("one", "a"), asked("two", "b"), asked("three")], config={"display_name": "Shop, spring"}
    )
    assert made.name.startswith("batches/")
    assert (made.model, made.display_name) == (f"models/{MODEL}", "Shop, spring")
    job = sdk.batches.get(name=made.name)
    assert (job.state, job.done) == (SUCCEEDED, True)
    items = job.dest.inlined_responses
    assert [item.metadata for item in items] == [{"key": "a"}, {"key": "b"}, None]
    assert [answer(item).rpartition(" ")[2] for item in items] == ["one", "two", "three"]


def test_a_job_needs_no_display_name(sdk: Sdk) -> None:
    assert sdk.batches.create(model=MODEL, src=[asked("one")]).display_name is None


def test_a_file_job_ends_with_a_result_file(sdk: Sdk, tmp_path: Any) -> None:
    content = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    name = upload(sdk, tmp_path, {"key": "a", "request": content}, {"key": "b", "request": {}})
    made = sdk.batches.create(model=MODEL, src=name, config={"display_name": "file"})
    job = sdk.batches.get(name=made.name)
    assert job.state == SUCCEEDED
    assert job.dest.file_name == f"files/batch-{made.name.removeprefix('batches/')}"
    assert job.dest.inlined_responses is None
    good, bad = map(json.loads, lines(sdk.files.download(file=job.dest.file_name)))
    assert good["key"] == "a"
    assert types.GenerateContentResponse.model_validate(good["response"]).text.endswith("hello")
    assert (bad["key"], bad["error"]["code"]) == ("b", 3)


def test_inline_embeddings(sdk: Sdk) -> None:
    source = {
        "inlined_requests": {
            "contents": [{"parts": [{"text": "one"}]}, {"parts": [{"text": "two"}]}],
            "config": {"output_dimensionality": 64, "task_type": "RETRIEVAL_DOCUMENT", "title": "Numbers"},
        }
    }
    made = sdk.batches.create_embeddings(model=EMBED_MODEL, src=source, config={"display_name": "vectors"})
    job = sdk.batches.get(name=made.name)
    assert (job.state, job.model, job.display_name) == (SUCCEEDED, f"models/{EMBED_MODEL}", "vectors")
    first, second = job.dest.inlined_embed_content_responses
    assert job.dest.inlined_responses is None
    assert len(first.response.embedding.values) == len(second.response.embedding.values) == 64
    assert first.response.embedding.values != second.response.embedding.values
    assert first.response.token_count == 1


def test_embeddings_of_a_file(sdk: Sdk, tmp_path: Any) -> None:
    content = {"parts": [{"text": "hello"}]}
    name = upload(sdk, tmp_path, {"key": "a", "request": {"content": content, "output_dimensionality": 8}})
    made = sdk.batches.create_embeddings(model=EMBED_MODEL, src={"file_name": name})
    job = sdk.batches.get(name=made.name)
    (row,) = map(json.loads, lines(sdk.files.download(file=job.dest.file_name)))
    assert row["key"] == "a"
    assert len(row["response"]["embedding"]["values"]) == 8


SCHEMA = {"type": "OBJECT", "properties": {"number": {"type": "INTEGER"}, "word": {"type": "STRING"}}}
CONFIGS: dict[str, dict[str, Any]] = {
    "safety settings": {"safety_settings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_ONLY_HIGH"}]},
    "system instruction": {"system_instruction": "Answer in French."},
    "thinking": {"thinking_config": {"include_thoughts": True, "thinking_budget": 0}},
    "search tool": {"tools": [{"google_search": {}}]},
    "function tool": {
        "tools": [{"function_declarations": [{"name": "look_up", "parameters": SCHEMA}]}],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["look_up"]}},
    },
    "cached content": {"cached_content": "cachedContents/abc"},
    "sampling": {
        "temperature": 0.1,
        "top_p": 0.9,
        "top_k": 10,
        "max_output_tokens": 64,
        "stop_sequences": ["END"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "response_logprobs": True,
        "logprobs": 2,
    },
    "modalities": {
        "response_modalities": ["TEXT", "IMAGE"],
        "image_config": {"aspect_ratio": "1:1"},
        "media_resolution": "MEDIA_RESOLUTION_LOW",
        "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}},
    },
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_what_the_sdk_makes_of_a_requests_config_is_taken(sdk: Sdk, config: dict[str, Any]) -> None:
    made = sdk.batches.create(model=MODEL, src=[asked("hello", **config)])
    (item,) = sdk.batches.get(name=made.name).dest.inlined_responses
    assert answer(item).endswith("hello")


@pytest.mark.parametrize("spelling", ["response_schema", "response_json_schema"])
def test_an_answer_fits_the_response_schema(sdk: Sdk, spelling: str) -> None:
    schema = SCHEMA if spelling == "response_schema" else json.loads(json.dumps(SCHEMA).lower())
    config = {"response_mime_type": "application/json", spelling: schema}
    made = sdk.batches.create(model=MODEL, src=[asked("hello", **config)])
    (item,) = sdk.batches.get(name=made.name).dest.inlined_responses
    assert json.loads(answer(item)) == {"number": 0, "word": f"[batchctl emulator] {MODEL} answers to: hello"}


def test_several_candidates_and_a_model_of_the_requests_own(sdk: Sdk) -> None:
    request = {**asked("hello", candidate_count=3), "model": "gemini-2.5-pro"}
    made = sdk.batches.create(model=MODEL, src={"inlined_requests": [request]})
    (item,) = sdk.batches.get(name=made.name).dest.inlined_responses
    assert len(item.response.candidates) == 3
    assert item.response.model_version == "gemini-2.5-pro"


def test_the_system_instruction_is_part_of_the_prompt(sdk: Sdk) -> None:
    made = sdk.batches.create(model=MODEL, src=[asked("hello"), asked("hello", system_instruction="four" * 10)])
    bare, told = sdk.batches.get(name=made.name).dest.inlined_responses
    assert told.response.usage_metadata.prompt_token_count == bare.response.usage_metadata.prompt_token_count + 10


def test_contents_in_every_shape_the_sdk_has(sdk: Sdk) -> None:
    parts = [
        types.Part(text="hello"),
        types.Part(inline_data=types.Blob(data=b"\x00\xff", mime_type="image/png")),
        types.Part(file_data=types.FileData(file_uri="gs://bucket/cat.png", mime_type="image/png")),
    ]
    requests = [types.InlinedRequest(contents="hello"), types.InlinedRequest(contents=[types.Content(parts=parts)])]
    made = sdk.batches.create(model=MODEL, src=types.BatchJobSource(inlined_requests=requests))
    for item in sdk.batches.get(name=made.name).dest.inlined_responses:
        assert answer(item).endswith("hello")


def test_fields_that_the_sdk_lacks_come_through_its_extra_body(sdk: Sdk, service: Service) -> None:
    # Labels are no config of a batch request in the SDK, and the priority is in no SDK at all.
    extra = {"batch": {"priority": 5}}
    made = sdk.batches.create(model=MODEL, src=[asked("hello")], config={"http_options": {"extra_body": extra}})
    assert service.raw(made.name)["metadata"]["priority"] == "5"


def test_labels_of_a_request_are_taken(sdk: Sdk) -> None:
    made = sdk.batches.create(model=MODEL, src=[asked("hello", labels={"team": "search"})])
    assert sdk.batches.get(name=made.name).state == SUCCEEDED


def test_webhooks_are_taken(sdk: Sdk) -> None:
    hooks = {"uris": ["https://example.com/hook"], "user_metadata": {"batch": 1}}
    made = sdk.batches.create(model=MODEL, src=[asked("hello")], config={"webhook_config": hooks})
    assert sdk.batches.get(name=made.name).state == SUCCEEDED


@pytest.mark.parametrize("version", ["v1", "v1alpha", "v1beta"])
def test_every_version_of_the_path_is_served(sdk: Sdk, version: str) -> None:
    options = {"http_options": {"api_version": version}}
    made = sdk.batches.create(model=MODEL, src=[asked("hello")], config=options)
    assert sdk.batches.get(name=made.name, config=options).state == SUCCEEDED
    assert [job.name for job in sdk.all(sdk.batches.list(config=options))] == [made.name]


@pytest.mark.parametrize("page_size", [1, 3, 7, 100])
def test_all_pages_of_a_list_are_gone_through_newest_first(sdk: Sdk, page_size: int) -> None:
    names = [sdk.batches.create(model=MODEL, src=[asked("x")], config={"display_name": f"n{n}"}).name for n in range(7)]
    pager = sdk.batches.list(config={"page_size": page_size})
    assert len(pager) == min(page_size, 7)
    assert [job.name for job in sdk.all(pager)] == names[::-1]


def test_a_list_without_page_size_and_an_empty_one(sdk: Sdk) -> None:
    assert sdk.all(sdk.batches.list()) == []
    made = sdk.batches.create(model=MODEL, src=[asked("hello")])
    assert [job.name for job in sdk.all(sdk.batches.list())] == [made.name]


def test_a_cancelled_job_keeps_what_was_served(sdk: Sdk, service: Service) -> None:
    service.rules(FOR_LONG)
    made = sdk.batches.create(model=MODEL, src=[asked("one", "a"), asked("two", "b")])
    assert sdk.batches.get(name=made.name).state == types.JobState.JOB_STATE_RUNNING
    service.call("POST", "/_emulator/clock", {"advance": "13h"})
    assert sdk.batches.cancel(name=made.name) is None
    job = sdk.batches.get(name=made.name)
    assert (job.state, job.done) == (types.JobState.JOB_STATE_CANCELLED, True)
    assert [item.metadata["key"] for item in job.dest.inlined_responses] == ["a"]


def test_cancelling_what_has_ended_changes_nothing(sdk: Sdk) -> None:
    made = sdk.batches.create(model=MODEL, src=[asked("hello")])
    sdk.batches.cancel(name=made.name)
    assert sdk.batches.get(name=made.name).state == SUCCEEDED


def test_a_deleted_job_is_in_no_list(sdk: Sdk) -> None:
    made, kept = (sdk.batches.create(model=MODEL, src=[asked("hello")]) for _ in range(2))
    deleted = sdk.batches.delete(name=made.name)
    assert deleted.error is None
    assert [job.name for job in sdk.all(sdk.batches.list(config={"page_size": 10}))] == [kept.name]
