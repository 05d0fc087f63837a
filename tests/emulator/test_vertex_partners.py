"""Rows for models of other publishers, members next to a request, and the variations of output that a rule requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batchctl.emulator.rules import Course, OutputRule
from batchctl.emulator.storage.objects import match_objects
from tests.support.vertex_calls import Vertex, asked, from_gcs

MODEL = "publishers/meta/models/llama"
CHAT = {
    "custom_id": "r1",
    "method": "POST",
    "url": "/v1/chat",
    "body": {"messages": [{"role": "user", "content": "hi"}]},
}
CLAUDE = {"custom_id": "r2", "request": {"anthropic_version": "v", "messages": [{"role": "user", "content": "ho"}]}}


def run(vertex: Vertex, *lines: Any, **members: Any) -> list[Any]:
    vertex.put("mine.jsonl", *lines)
    job = vertex.make(inputConfig=from_gcs("gs://in/mine.jsonl"), **members)
    ended = vertex.end(job)
    assert ended["state"] == "JOB_STATE_SUCCEEDED", ended
    return vertex.output(job)


def test_a_chat_is_joined_by_its_custom_id_and_nothing_is_echoed(vertex: Vertex) -> None:
    [line] = run(vertex, CHAT, model=MODEL)
    assert line["id"].startswith("batch_req_")
    assert (line["custom_id"], line["error"], "body" in line, "request" in line) == ("r1", None, False, False)
    assert line["response"]["status_code"] == 200
    message = line["response"]["body"]["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "[batchctl emulator] llama answers to: hi"}


def test_messages_in_a_request_are_echoed(vertex: Vertex) -> None:
    [line] = run(vertex, CLAUDE, model="publishers/anthropic/models/claude")
    assert {name: line[name] for name in ("custom_id", "request", "status")} == {**CLAUDE, "status": ""}
    assert line["response"]["content"] == [{"type": "text", "text": "[batchctl emulator] claude answers to: ho"}]


def test_a_rule_fails_a_chat_by_its_custom_id(vertex: Vertex) -> None:
    vertex.rules({"fate": "rows", "match": {"row": "r1"}, "rowError": {"code": 8, "message": "slow down"}})
    [line] = run(vertex, CHAT, model=MODEL)
    assert line["response"] is None
    assert "slow down" in line["error"]["message"]


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": ["x"]}, {"messages": 5}])
def test_the_content_of_a_body_is_not_checked(vertex: Vertex, body: Any) -> None:
    [line] = run(vertex, {"custom_id": "r1", "body": {"model": "m", **body}}, model=MODEL)
    assert line["response"]["status_code"] == 200


def test_members_next_to_a_request_are_copied_to_the_result(vertex: Vertex) -> None:
    beside = {"key": "k", "custom_id": "r1", "id": 7, "shelf": "A"}
    [line] = run(vertex, {**beside, **asked("x")})
    assert {name: line[name] for name in beside} == beside


def test_a_rule_shapes_the_output(vertex: Vertex) -> None:
    vertex.rules({"output": {"early": 0.5, "repeated": 0.5, "asNumbers": True}})
    rows = [{"key": f"00{number}", **asked(f"{number}.50", labels={"a": "x"})} for number in range(4)]
    vertex.put("mine.jsonl", *rows)
    job = vertex.make(inputConfig=from_gcs("gs://in/mine.jsonl"))
    directory = vertex.end(job)["outputInfo"]["gcsOutputDirectory"]
    files = {
        found.name.rpartition("prediction-model-")[2].partition("/")[2]: [
            json.loads(line) for line in b"".join(vertex.store.read(found.blob)).splitlines()
        ]
        for found in match_objects(vertex.store, f"{directory}/**")
    }
    assert set(files) == {"predictions.jsonl", "incremental_predictions/000.jsonl"}
    final, early = files["predictions.jsonl"], files["incremental_predictions/000.jsonl"]
    assert [(line["key"], bool(line["status"])) for line in final] == [
        (2, True),
        (2, False),
        (3, False),
        (0, True),
        (0, False),
        (1, False),
    ]
    assert final[-1]["request"]["contents"][0]["parts"] == [{"text": 1.5}]
    assert early == final[:3]  # of two rows, one of which comes twice


def test_a_course_from_an_older_store_has_no_output_rule() -> None:
    course = Course(1, 2, output=OutputRule(as_numbers=True))
    assert Course.from_json(course.to_json()) == course
    older = json.dumps(json.loads(course.to_json())[:7])
    assert Course.from_json(older) == Course(1, 2)
