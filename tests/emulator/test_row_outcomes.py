"""Rules that make rows fail, cut their answers off, or give answers of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchctl.emulator.rules import Course
from tests.support.embedded_emulator import World
from tests.support.vertex_calls import Vertex, asked, from_gcs

BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
RULE = {
    "fate": "rows",
    "rowOutcomes": [
        {"share": 0.25, "error": {"code": 14, "message": "later"}},
        {"share": 0.5, "finishReason": "MAX_TOKENS"},
        {"share": 0.5, "finishReason": "SAFETY"},
        {"response": BLOCKED},
    ],
}


def kinds(results: list[dict[str, Any]]) -> list[str]:
    found = []
    for item in results:
        response = item.get("response") or {}
        candidate = response.get("candidates", [{}])[0]
        found.append("blocked" if "promptFeedback" in response else candidate.get("finishReason", "error"))
    return found


def test_each_outcome_takes_its_share_of_what_those_before_it_left(world: World) -> None:
    world.rules(RULE)
    job = world.create(*"abcdefgh")
    stats = world.finish(job)["metadata"]["batchStats"]
    results = world.inline_results(job)
    assert kinds(results) == ["error", "MAX_TOKENS", "SAFETY", "MAX_TOKENS", "error", "blocked", "MAX_TOKENS", "SAFETY"]
    assert results[0]["error"] == {"code": 14, "message": "later"}
    assert stats == {"requestCount": "8", "successfulRequestCount": "6", "failedRequestCount": "2"}


def test_an_answer_that_is_cut_off_has_half_of_its_text_and_a_filtered_one_none(world: World) -> None:
    whole = world.create("hello")
    world.finish(whole)
    (before,) = world.inline_results(whole)
    text = before["response"]["candidates"][0]["content"]["parts"][0]["text"]
    for reason, said in (("MAX_TOKENS", text[: len(text) // 2]), ("STOP", text), ("RECITATION", None)):
        world.rules({"fate": "rows", "rowOutcomes": [{"finishReason": reason}]})
        job = world.create("hello")
        world.finish(job)
        (candidate,) = world.inline_results(job)[0]["response"]["candidates"]
        assert candidate["finishReason"] == reason
        assert candidate.get("content", {"parts": [{"text": None}]})["parts"] == [{"text": said}]


def test_vertex_rows_have_the_same_outcomes(tmp_path: Path) -> None:
    vertex = Vertex(tmp_path / "emulator.db")
    vertex.put("in.jsonl", *map(asked, "abcdefgh"))
    vertex.rules(RULE)
    job = vertex.make(inputConfig=from_gcs("gs://in/in.jsonl"))
    stats = vertex.end(job)["completionStats"]
    found = kinds(vertex.output(job))
    assert sorted(found) == sorted(["error"] * 2 + ["MAX_TOKENS"] * 3 + ["SAFETY"] * 2 + ["blocked"])
    assert (stats["successfulCount"], stats.get("failedCount")) == ("6", "2")


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"fate": "stuck", "rowOutcomes": [{"finishReason": "STOP"}]}, "rules[0].rowOutcomes:"),
        ({"fate": "rows", "rowError": {}, "rowOutcomes": [{"finishReason": "STOP"}]}, "rules[0].rowError:"),
        ({"fate": "rows", "rowOutcomes": [{"share": 1}]}, "rules[0].rowOutcomes[0]:"),
        ({"fate": "rows", "rowOutcomes": [{"finishReason": "STOP", "response": {}}]}, "rules[0].rowOutcomes[0]:"),
        ({"fate": "rows", "rowOutcomes": []}, "rules[0].rowOutcomes:"),
    ],
)
def test_rules_that_could_never_show_are_refused(world: World, rule: dict[str, Any], place: str) -> None:
    reply = world.refused(400, "PUT", "/_emulator/rules", json=[rule])
    assert place in json.dumps(reply)


def test_a_course_of_an_earlier_release_is_read() -> None:
    stored = [1, 2, "rows", [["k*", 8, "quota", "1/2"]], None, None, None, ["0", "0", False]]
    (rule,) = Course.from_json(json.dumps(stored)).rows
    (outcome,) = rule.outcomes
    assert (rule.glob, outcome.kind, json.loads(outcome.value), str(outcome.share)) == (
        "k*",
        "error",
        {"code": 8, "message": "quota"},
        "1/2",
    )


@pytest.mark.parametrize(
    ("modalities", "kinds"),
    [
        ([], ["text"]),
        (["TEXT"], ["text"]),
        (["IMAGE"], ["image/png"]),
        (["TEXT", "IMAGE"], ["text", "image/png"]),
        (["AUDIO"], ["audio/L16;codec=pcm;rate=24000"]),
    ],
)
def test_an_answer_has_the_modalities_that_were_asked_for(
    world: World, modalities: list[str], kinds: list[str]
) -> None:
    request = {"contents": [{"parts": [{"text": "draw"}]}], "generationConfig": {"responseModalities": modalities}}
    batch = {"inputConfig": {"requests": {"requests": [{"request": request}]}}, "displayName": "n"}
    job = world.post_batch("models/gemini-2.5-flash", batch)
    world.finish(job)
    (item,) = world.inline_results(job)
    parts = item["response"]["candidates"][0]["content"]["parts"]
    assert ["text" if "text" in part else part["inlineData"]["mimeType"] for part in parts] == kinds


def test_a_json_answer_follows_the_first_of_several_schemas(world: World) -> None:
    config = {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    }
    request = {"contents": [{"parts": [{"text": "count"}]}], "generationConfig": config}
    job = world.post_batch(
        "models/gemini-2.5-flash",
        {"inputConfig": {"requests": {"requests": [{"request": request}]}}, "displayName": "n"},
    )
    world.finish(job)
    assert world.inline_results(job)[0]["response"]["candidates"][0]["content"]["parts"] == [{"text": "0"}]
