"""What members must not be together, what Vertex's importer refuses, and both spellings."""

from __future__ import annotations

from typing import Any

import pytest

from batchctl.model.keys import Api
from batchctl.model.kinds import Kind
from batchctl.model.request.catalogue import MESSAGES
from batchctl.model.request.check import check_row_request
from batchctl.model.request.importing import DEEPEST, Importer
from batchctl.model.request.roots import GENERATE
from batchctl.model.request.rules import check_together
from batchctl.model.request.spelling import respell


@pytest.mark.parametrize("name", ["systemInstruction", "tools", "toolConfig"])
def test_a_cache_brings_its_own_instruction_and_tools(name: str) -> None:
    (problem,) = check_together({"cachedContent": "cachedContents/a", name: [{}]})
    assert (problem.place, problem.message) == (name, f'"{name}" cannot be used with "cachedContent"')


def test_thinking_must_leave_tokens_for_the_answer() -> None:
    def places(most: object, budget: object) -> list[str]:
        config = {"maxOutputTokens": most, "thinkingConfig": {"thinkingBudget": budget}}
        return [problem.place for problem in check_together({"generationConfig": config})]

    assert places(100, 100) == ["generationConfig.maxOutputTokens"]
    assert places(101, 100) == places(100, 0) == places(100, -1) == places("many", 100) == []
    assert places("100", "100") == places(100.0, 100) == ["generationConfig.maxOutputTokens"]


@pytest.mark.parametrize(
    ("request_", "place"),
    [
        ({"generationConfig": {"imageConfig": {"imageSize": "2K"}}}, "generationConfig.imageConfig.imageSize"),
        ({"generationConfig": {"imageConfig": {"imageSize": "1K"}}}, None),
        ({"generationConfig": {"imageConfig": {"aspectRatio": "1:1"}}}, None),
        ({"tools": [{"googleSearch": {}}, {"retrieval": {"vertexRagStore": {}}}]}, "tools[1].retrieval.vertexRagStore"),
        ({"tools": [{"retrieval": {"vertexAiSearch": {}}}, None]}, None),
        ({"tools": {"retrieval": {"vertexRagStore": {}}}}, None),
    ],
)
def test_what_vertex_has_but_not_in_batch_jobs(request_: dict[str, Any], place: str | None) -> None:
    assert [problem.place for problem in check_together(request_, Api.VERTEX)] == ([place] if place else [])
    assert list(check_together(request_, Api.GEMINI)) == list(check_together(request_)) == []


@pytest.mark.parametrize(
    ("request_", "hint"),
    [
        ({"tools": [{"googleSearch": {}}]}, "write googleSearch: {excludeDomains: []}"),
        ({"tools": [{"google_search": {}}]}, "write google_search: {exclude_domains: []}"),
        ({"tools": [{"enterpriseWebSearch": {}}]}, "write enterpriseWebSearch: {excludeDomains: []}"),
        ({"tools": [{"codeExecution": {}}]}, "leave the tool out"),
        ({"labels": {}}, "leave it out, or give it a member"),
        ({"labels": {"0": "a"}}, "begin the name with a letter or `_`"),
        ({"s": {"$ref": "a"}}, "write schemas without $defs and $ref"),
    ],
)
def test_the_way_out_of_the_importer_can_be_taken(request_: dict[str, Any], hint: str) -> None:
    (problem,) = Importer().check(request_, 1)
    assert problem.hint.startswith(hint)
    if hint.startswith(("write g", "write e")):
        (tool,) = request_["tools"]
        (name,) = tool
        tool[name] = {hint.partition("{")[2].partition(":")[0]: []}
        row = {"contents": [{"role": "user", "parts": [{"text": "x"}]}], **request_}
        assert [*Importer().check(row, 1), *check_row_request(row, Kind.BATCH_JOB, Api.VERTEX)] == []


def imported(*rows: Any) -> list[str]:
    importer = Importer()
    return [
        f"{line} {p.place}: {p.message.partition(':')[0]}"
        for line, row in enumerate(rows, 1)
        for p in importer.check(row, line)
    ]


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"x": 1}
    for _ in range(levels - 1):
        value = {"p": value}
    return value


def test_what_the_importer_refuses() -> None:
    assert imported({"tools": [{"googleSearch": {}}]}) == ['1 tools[0].googleSearch: "googleSearch" is an empty object']
    assert imported({"tools": [{"googleSearch": {"excludeDomains": []}}]}) == []
    assert imported({"s": {"$defs": {"A": 1}}}) == [
        '1 s: "s" has a member "$defs", which cannot be the name of a column'
    ]
    assert imported({"p": {"Metric A": {"type": "STRING"}}}) == [
        '1 p: "p" has a member "Metric A", which cannot be the name of a column'
    ]
    assert imported(nested(DEEPEST)) == []
    assert [line.rpartition(": ")[2] for line in imported(nested(DEEPEST + 1))] == [
        '"p" is nested deeper than 15 levels'
    ]


def test_names_that_differ_in_case_are_one_column() -> None:
    one = "which are one column to the importer"
    assert imported({"a": {"City": "x", "city": "y"}}) == [f'1 a: "a" has the members "City" and "city", {one}']
    assert imported({"a": {"City": "x"}}, {"a": {"city": "y"}}) == [
        f'2 a: "a" has the members "City" and "city", {one}'
    ]
    assert imported({"a": {"City": "x"}, "b": {"city": "y"}}, {"a": {"City": "z"}}) == []


def test_a_member_has_one_type_over_all_rows() -> None:
    assert imported({"a": {"kind": "string"}}, {"a": {"kind": ["string", "null"]}}) == [
        '2 a.kind: "kind" is a list, and a string on line 1'
    ]
    assert imported({"a": {"type": ["string", "null"]}}) == [
        '1 a.type: "type" is a list, and everywhere else in a schema a string'
    ]
    assert imported({"a": [1, "x"]}) == ['1 a[1]: "a" is a string, and a number in this row']
    assert imported({"a": 1}, {"a": 1.5}, {"a": None}, {"b": "x"}) == []


def test_members_are_respelled_at_every_level_and_user_data_never() -> None:
    request = {
        "generation_config": {"thinking_config": {"thinking_budget": 0}, "response_schema": {"any_of": []}},
        "contents": [
            {"parts": [{"inline_data": {"mime_type": "a/b", "data": ""}}, {"function_call": {"args": {"a_b": 1}}}]}
        ],
        "system_instruction": "text",
        "labels": {"a_b": "c"},
        "own_member": {"a_b": 1},
    }
    assert respell(request, MESSAGES[GENERATE]) == {
        "generationConfig": {"thinkingConfig": {"thinkingBudget": 0}, "responseSchema": {"any_of": []}},
        "contents": [
            {"parts": [{"inlineData": {"mimeType": "a/b", "data": ""}}, {"functionCall": {"args": {"a_b": 1}}}]}
        ],
        "systemInstruction": "text",
        "labels": {"a_b": "c"},
        "own_member": {"a_b": 1},
    }


@pytest.mark.parametrize("members", [{"top_k": 1, "topK": 1}, {"topK": 1, "top_k": 1}])
def test_both_spellings_of_one_member_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="both top_k and topK are given: keep one"):
        respell({"generationConfig": members}, MESSAGES[GENERATE])
