"""The SDK's calls on models, at both APIs."""

from __future__ import annotations

from google import genai
from google.genai import types

from tests.support.sdk_clients import MODEL, Sdk, Service, asked


def test_models_can_be_got_and_listed(sync_sdk: genai.Client) -> None:
    model = sync_sdk.models.get(model=MODEL)
    assert (model.name, model.input_token_limit) == (f"models/{MODEL}", 1048576)
    assert "batchGenerateContent" in (model.supported_actions or [])
    every = [found.name for found in sync_sdk.models.list(config={"page_size": 2})]
    assert model.name in every
    assert len(every) == len(set(every)) > 2


def test_an_answer_may_say_that_its_model_ends(sync_sdk: genai.Client, service: Service) -> None:
    models = {MODEL: {"stage": "LEGACY", "retirementTime": "2999-01-01T00:00:00Z"}}
    service.call("PUT", "/_emulator/settings", {"models": models})
    job = sync_sdk.batches.create(model=MODEL, src=[asked("hello")])
    found = sync_sdk.batches.get(name=job.name or "")
    assert found.dest is not None
    assert found.dest.inlined_responses is not None
    response = found.dest.inlined_responses[0].response
    assert response is not None
    assert response.model_status is not None
    assert response.model_status.model_stage is types.ModelStage.LEGACY


def test_tokens_are_counted_as_jobs_report_them(sdk: Sdk) -> None:
    text = "What is the tallest mountain of Europe?"
    counted = sdk.models.count_tokens(model=MODEL, contents=text)
    job = sdk.batches.create(model=MODEL, src=[asked(text)])
    found = sdk.batches.get(name=job.name)
    reported = found.dest.inlined_responses[0].response.usage_metadata.prompt_token_count
    assert counted.total_tokens == reported == 10
