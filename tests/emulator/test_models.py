"""The models, and their life-cycle stages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.embedded_emulator import EMBED_MODEL, MODEL, World
from tests.support.vertex_calls import JOBS, Vertex, body

FLASH = "gemini-2.5-flash"
PUBLISHED = "/v1beta1/publishers/google/models"
STATUS = {"modelStage": "LEGACY", "retirementTime": "2026-03-01T13:00:00Z", "message": "Use another."}
LEGACY = {"stage": "LEGACY", "retirementTime": "2026-03-01T13:00:00Z", "message": "Use another."}


def settle(world: World, **models: dict[str, Any]) -> None:
    world.ok("PUT", "/_emulator/settings", json={"models": {FLASH: {"stage": "STABLE"}, **models}})


def names(world: World, path: str, member: str, **params: Any) -> list[str]:
    found = []
    while True:
        page = world.ok("GET", path, params=params)
        found += [model["name"] for model in page.get(member, [])]
        if "nextPageToken" not in page:
            return found
        params["pageToken"] = page["nextPageToken"]


def test_a_model_lists_its_methods(world: World) -> None:
    model = world.ok("GET", f"/v1/{MODEL}")
    assert (model["name"], model["inputTokenLimit"]) == (MODEL, 1048576)
    assert "batchGenerateContent" in model["supportedGenerationMethods"]
    assert "modelStatus" not in model
    embed = world.ok("GET", f"/v1beta/{EMBED_MODEL}")
    assert "asyncBatchEmbedContent" in embed["supportedGenerationMethods"]
    assert world.ok("GET", "/v1beta/models/gemini-9-new")["name"] == "models/gemini-9-new"
    assert "Model is not found: models/gpt" in world.refused(404, "GET", "/v1beta/models/gpt")["message"]


def test_models_are_listed_page_by_page(vertex: Vertex) -> None:
    every = names(vertex, "/v1/models", "models")
    assert MODEL in every
    assert every == sorted(every) == names(vertex, "/v1/models", "models", pageSize=2)
    published = names(vertex, PUBLISHED, "publisherModels")
    assert published == [f"publishers/google/{name}" for name in every]
    assert published == names(vertex, PUBLISHED, "publisherModels", pageSize=3)
    assert vertex.ok("GET", "/v1beta1/publishers/meta/models") == {}


def test_a_published_model_has_a_stage(vertex: Vertex) -> None:
    stages = {
        FLASH: ("GA", "VERSION_STATE_STABLE"),
        "gemini-3-pro-preview": ("PUBLIC_PREVIEW", "VERSION_STATE_UNSTABLE"),
    }
    for version in ("v1", "v1beta1"):
        for name, stage in stages.items():
            model = vertex.ok("GET", f"/{version}/publishers/google/models/{name}")
            assert (model["launchStage"], model["versionState"]) == stage
    assert vertex.ok("GET", f"{PUBLISHED}/veo-3.0")["name"] == "publishers/google/models/veo-3.0"
    vertex.ok("GET", "/v1/publishers/meta/models/llama-4")
    vertex.refused(404, "GET", f"{PUBLISHED}/gpt")
    vertex.http.headers.pop("authorization")
    vertex.refused(401, "GET", f"{PUBLISHED}/{FLASH}")


def test_the_model_status_is_in_the_model_and_in_its_answers(world: World) -> None:
    before = world.create()
    settle(world, **{FLASH: LEGACY})
    assert world.ok("GET", f"/v1beta/{MODEL}")["modelStatus"] == STATUS
    after = world.create()
    world.pass_time("3s")
    [old], [new] = world.inline_results(before), world.inline_results(after)
    assert "modelStatus" not in old["response"]
    assert new["response"]["modelStatus"] == STATUS


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"stage": "RETIRED"}, False),
        ({"stage": "DEPRECATED"}, True),
        ({"retirementTime": "2026-03-01T13:00:00+01:00"}, False),
    ],
)
def test_a_retired_model_accepts_no_jobs(vertex: Vertex, given: dict[str, str], shown: bool) -> None:
    settle(vertex, **{FLASH: given})
    status = 200 if shown else 404
    assert vertex.http.get(f"/v1beta/{MODEL}").status_code == status
    assert vertex.http.get(f"{PUBLISHED}/{FLASH}").status_code == status
    assert (MODEL in names(vertex, "/v1/models", "models")) is shown
    batch = {"batch": {"inputConfig": {"requests": {"requests": [{"request": {"contents": []}}]}}}}
    error = vertex.refused(404, "POST", f"/v1beta/{MODEL}:batchGenerateContent", json=batch)
    assert error["message"].startswith(f"{MODEL} is not found for API version v1beta")
    words = f"The PublisherModel {FLASH} does not exist."
    assert vertex.refused(404, "POST", JOBS, json=body())["message"] == words
    vertex.make(model="publishers/google/models/gemini-2.5-pro")
    vertex.make(model="projects/demo/locations/us-central1/models/7")


def test_a_model_retires_at_its_retirement_time(vertex: Vertex) -> None:
    settle(vertex, **{FLASH: LEGACY})
    vertex.make()
    vertex.pass_time("1h")
    vertex.refused(404, "POST", JOBS, json=body())


@pytest.mark.parametrize(
    ("models", "place"),
    [
        ({"gpt": {"stage": "LEGACY"}}, "emulator.settings.models.gpt: not the name of a model"),
        ({FLASH: {"stage": "OLD"}}, "emulator.settings.models"),
        ({FLASH: {}}, "emulator.settings.models"),
        ({FLASH: {"retirementTime": "tomorrow"}}, "emulator.settings.models"),
        ({FLASH: {"retirementTime": "2026-13-01T00:00:00Z"}}, f"emulator.settings.models.{FLASH}.retirementTime:"),
    ],
)
def test_wrong_models_are_refused_with_their_place(world: World, models: dict[str, Any], place: str) -> None:
    error = world.refused(400, "PUT", "/_emulator/settings", json={"models": models})
    assert error["message"].startswith(place)
    assert world.http.get("/_emulator/settings").json() == {}


PROMPT: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "Where is it?"}, {"text": " Say it in a word."}]},
        {"role": "model", "parts": [{"text": "Here."}]},
        {"role": "user", "parts": [{"text": "And now?"}]},
    ]
}
COUNTED = f"/v1beta1/projects/demo/locations/us-central1/publishers/google/models/{FLASH}:countTokens"


@pytest.mark.parametrize("more", [{}, {"systemInstruction": {"parts": [{"text": "Answer as a sailor would."}]}}])
def test_tokens_are_counted_as_a_job_reports_them(vertex: Vertex, more: dict[str, Any]) -> None:
    request = {**PROMPT, **more}
    rows = {"inputConfig": {"requests": {"requests": [{"request": request}]}}}
    job = vertex.finish(vertex.post_batch(MODEL, rows))
    [row] = vertex.inline_results(job)
    tokens = row["response"]["usageMetadata"]["promptTokenCount"]
    for version in ("v1", "v1beta"):
        path, whole = f"/{version}/{MODEL}:countTokens", {"generateContentRequest": {"model": MODEL, **request}}
        counted = vertex.ok("POST", path, json=whole)
        assert counted["totalTokens"] == tokens
        assert counted["promptTokensDetails"] == [{"modality": "TEXT", "tokenCount": tokens}]
        bare = vertex.ok("POST", path, json={"contents": request["contents"]})["totalTokens"]
        assert bare == tokens if not more else bare < tokens
    assert vertex.ok("POST", COUNTED, json=request)["totalTokens"] == tokens


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (f"/v1beta/{MODEL}:countTokens", {}, 400, "contents is not specified"),
        (f"/v1beta/{MODEL}:countTokens", {**PROMPT, "generateContentRequest": PROMPT}, 400, "either contents or"),
        (f"/v1beta/{MODEL}:countTokens", {"content": "x"}, 400, "Cannot find field"),
        ("/v1beta/models/gpt:countTokens", PROMPT, 404, "Model is not found"),
        (COUNTED, {}, 400, "at least one contents field"),
        (COUNTED, {"content": "x"}, 400, "Cannot find field"),
        (COUNTED.replace(FLASH, "gpt"), PROMPT, 404, "was not found"),
    ],
)
def test_a_count_may_be_refused(vertex: Vertex, path: str, body: dict[str, Any], status: int, words: str) -> None:
    assert words in vertex.refused(status, "POST", path, json=body)["message"]


def test_counts_at_vertex_need_a_token(vertex: Vertex) -> None:
    vertex.http.headers.pop("authorization")
    vertex.refused(401, "POST", COUNTED, json=PROMPT)
