"""An answer of the usual form gets the verdict and the counts that judging it member by member gives."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

from batchctl.model.result_json import encoded
from batchctl.model.verdicts import RowVerdict
from batchctl.rows.expectation import ANYTHING, Expectation, asked_of, expectation_of
from batchctl.rows.plain_answers import are_good, read_plain
from batchctl.rows.usage import UsageTotal
from batchctl.rows.verdict import verdict

PARTS: list[Any] = [
    [{"text": "hi"}],
    [{"text": " \n"}],
    [{"text": '{"a": 1}'}],
    [{"text": "yes"}, {"text": " and no"}],
    [{"text": "hm", "thought": True}, {"text": "hi"}],
    [{"text": "hi", "thoughtSignature": "c2ln"}],
    [{"text": "hi"}, {"functionCall": {"name": "f"}}],
    [{"text": 5}],
    [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
    [],
    {"text": "alone"},
    None,
]
CANDIDATES: list[Any] = [
    lambda parts: {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0},
    lambda parts: {"content": {"parts": parts}, "finishReason": "MAX_TOKENS"},
    lambda parts: {"content": {"parts": parts}, "finish_reason": "SAFETY"},
    lambda parts: {"content": {"parts": parts}, "finishReason": None, "finish_reason": "STOP"},
    lambda parts: {"content": {"parts": parts}, "finishReason": 1},
    lambda parts: {"content": parts, "finishReason": "STOP", "avgLogprobs": -0.1},
]
USAGE: list[Any] = [
    {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7, "promptTokensDetails": [{"a": 1}]},
    {"promptTokenCount": "5", "prompt_token_count": 6, "thoughtsTokenCount": 0},
    {"promptTokenCount": -1, "totalTokenCount": 2**40, "cachedContentTokenCount": True},
    {},
    None,
    [],
]
BESIDE: list[dict[str, Any]] = [
    {"modelVersion": "m-1", "responseId": "x"},
    {"modelVersion": ""},
    {"modelVersion": "v" * 300},
    {"modelVersion": 5},
    {"model_version": "m-2"},
    {"modelVersion": "m-1", "embedding": {"values": [1.0]}},
    {"modelVersion": "m-1", "embeddings": None, "promptFeedback": {"blockReason": "SAFETY"}},
]
CONFIGS: list[Any] = [
    {},
    {"responseMimeType": "application/json"},
    {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT", "required": ["a"]}},
    {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["yes", "hi"]}},
    {"responseModalities": ["TEXT", "IMAGE"]},
    {"responseModalities": ["text"]},
]
EXPECTED: list[Expectation] = [
    ANYTHING,
    *(expectation_of(asked_of({"contents": [], "generationConfig": config})) for config in CONFIGS),
    expectation_of(asked_of({"contents": [], "tools": [{}]})),
    expectation_of(asked_of({"content": {}})),
]


def facts(total: UsageTotal) -> tuple[object, ...]:
    return total.facts(), total.total, total.input


@pytest.mark.parametrize("part", range(8))
def test_any_answer_has_the_same_verdict_and_counts(part: int) -> None:
    shapes = list(itertools.product(PARTS, CANDIDATES, USAGE, BESIDE, range(3)))
    for parts, candidate, usage, beside, number in random.Random(part).sample(shapes, 600):
        response = {"candidates": [candidate(parts)] * number, "usageMetadata": usage, **beside}
        plain = read_plain(encoded({"response": response}))
        for expected in EXPECTED if plain is not None else ():
            if plain is not None and are_good([plain], expected):
                assert verdict(response, None, expected) is RowVerdict.OK, (response, expected)
                at_once, each = UsageTotal(), UsageTotal()
                at_once.add_counts(plain.usageMetadata, plain.modelVersion)
                each.add({"response": response})
                assert facts(at_once) == facts(each), response


def test_the_usual_answer_is_plain() -> None:
    response = {"candidates": [CANDIDATES[0](PARTS[0])], "usageMetadata": USAGE[0], **BESIDE[0]}
    plain = read_plain(encoded({"response": response}))
    assert plain is not None
    assert are_good([plain], EXPECTED[1])
    assert not are_good([plain], EXPECTED[2]), "no JSON"


@pytest.mark.parametrize("text", ['{"error": {"code": 13}}', '{"response": {}}', '{"response": "\\ud800"}', "[]", "{"])
def test_other_outcomes_are_not(text: str) -> None:
    assert read_plain(text.encode()) is None
    assert read_plain(json.dumps({"response": {"candidates": []}}).encode()) is None
