"""Answers that are judged by the gaps of their form have the verdict and the counts that each has by itself."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from batchctl.model.answer_lines import FormedAnswers
from batchctl.providers.answer_forms import AnswerForms
from batchctl.rows.answer_columns import AnswerColumns
from batchctl.rows.expectation import ANYTHING, asked_of, expectation_of
from batchctl.rows.plain_answers import are_good, read_all_plain
from batchctl.rows.usage import UsageTotal
from batchctl.rows.verdict import verdict

CONFIGS: list[dict[str, Any]] = [
    {},
    {"responseMimeType": "application/json"},
    {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["5", "hi"]}},
    {"responseModalities": ["TEXT", "IMAGE"]},
]
EXPECTED = [ANYTHING, *(expectation_of(asked_of({"contents": [], "generationConfig": one})) for one in CONFIGS)]
EXPECTED += [expectation_of(asked_of({"content": {}})), ANYTHING, ANYTHING, ANYTHING]
TEXTS = ["hi", "5", "é", "{}", "\u2003", " ", "\n", "", "\x1f", "«a»", "\\"]
COUNTS = [0, 7, 7, 200_000, 200_001, 2**31 - 1, 2**31, -1]
SHAPES: list[dict[str, Any]] = [
    {},
    {},
    {"thoughtsTokenCount": 1},
    {"promptTokensDetails": 1},
    {"promptTokensDetails": 1, "candidatesTokensDetails": 1},
    {"promptTokensDetails": 2},
    {"cachedContentTokenCount": 1},
    {"trafficType": "ON_DEMAND"},
]
BESIDE: list[dict[str, Any]] = [
    {},
    {},
    {"modelStatus": {"retirementTime": "2027-01-01T00:00:00Z"}},
    {"embedding": {"values": [1]}},
    {"avgLogprobs": -0.5},
]


def answers_of(draw: random.Random) -> list[dict[str, Any]]:
    """Answers of one form."""
    oddness, shape, beside, parts = (
        draw.choice([0, 0.1]),
        draw.choice(SHAPES),
        draw.choice(BESIDE),
        draw.choice([1, 1, 2]),
    )
    reason, version = draw.choice(["STOP", "STOP", "STOP", "MAX_TOKENS"]), draw.choice(["m-1", "m-1", "", "v" * 300])

    def odd(usual: Any, values: list[Any]) -> Any:
        return draw.choice(values) if draw.random() < oddness else usual

    found = []
    for _ in range(draw.randint(1, 9)):
        usage: dict[str, Any] = {
            "promptTokenCount": odd(7, COUNTS),
            "candidatesTokenCount": odd(5, COUNTS),
            "totalTokenCount": 12,
        }
        for name, value in shape.items():
            of = {"promptTokensDetails": "promptTokenCount", "candidatesTokensDetails": "candidatesTokenCount"}.get(
                name
            )
            counted = {"modality": "TEXT", "tokenCount": odd(usage.get(of or "", 0), COUNTS)}
            usage[name] = [counted] * value if of else value
        texts = [{"text": odd("hi", TEXTS), **draw.choice([{}, {}]), "thoughtSignature": "aGk="} for _ in range(parts)]
        candidate = {"content": {"parts": texts, "role": "model"}, "finishReason": reason}
        found.append({"candidates": [candidate], "usageMetadata": usage, "modelVersion": version, **beside})
    return found


def formed(answers: list[dict[str, Any]]) -> FormedAnswers | None:
    forms, lines = AnswerForms(), [json.dumps({"key": "k", "response": one}).encode() for one in answers]
    forms.learn(lines[0], "k", answers[0])
    return forms.read(b"\n".join([*lines, b""]))


@pytest.mark.no_cover
@pytest.mark.parametrize("part", range(10))
def test_verdicts_and_counts_are_the_same(part: int) -> None:
    good = 0
    for seed in range(part * 150, part * 150 + 150):
        draw = random.Random(seed)
        answers, expected = answers_of(draw), draw.choice(EXPECTED)
        lines = formed(answers)
        assert lines is not None
        plain = read_all_plain(b"".join(b'{"response":%b}\n' % one for one in lines.responses))
        found = AnswerColumns().read(lines, expected)
        if found is None:
            continue
        good += 1
        assert plain is not None
        assert are_good(plain, expected), seed
        assert {verdict(one, None, expected).value for one in answers} == {"OK"}, seed
        by_columns, one_by_one = UsageTotal(), UsageTotal()
        by_columns.add_sums(found[0], Counter({found[1]: len(answers)}))
        for one in answers:
            one_by_one.add({"response": one})
        assert by_columns.facts() == one_by_one.facts(), seed
        assert (by_columns.total, by_columns.input, by_columns.counted) == (
            one_by_one.total,
            one_by_one.input,
            one_by_one.counted,
        )
    assert good > 10


def test_usual_answers_are_judged_by_their_columns() -> None:
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12, "thoughtsTokenCount": 0}
    usage |= {
        name: [{"modality": "TEXT", "tokenCount": count}]
        for name, count in (("promptTokensDetails", 7), ("candidatesTokensDetails", 5))
    }  # type: ignore[dict-item]
    answers = [
        {
            "candidates": [
                {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": usage,
            "modelVersion": "m-1",
            "responseId": f"r{number}",
        }
        for number, text in enumerate(["hi", "é", '"a"'])
    ]
    lines, reader = formed(answers), AnswerColumns()
    assert lines is not None
    assert reader.read(lines, ANYTHING) is not None
    assert reader.read(lines, EXPECTED[2]) is None, "these texts are no JSON"
