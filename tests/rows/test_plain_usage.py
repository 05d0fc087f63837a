"""Counts that a compiled type reads for many answers have the sums of the same answers one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.cost.tokens import LONG_PROMPT
from batchctl.model.result_json import encoded
from batchctl.rows.plain_answers import CountedAnswer, read_all_plain
from batchctl.rows.usage import UsageTotal

CANDIDATES = [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]
COUNTS = (
    st.integers(0, 3)
    | st.integers(LONG_PROMPT - 1, LONG_PROMPT + 1)
    | st.sampled_from([2**31 - 1, 2**31, -1, 2.0, "2", True, None])
)
NAMES = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount")


def of_text(number: Any, modality: str = "TEXT", **more: Any) -> dict[str, Any]:
    return {"modality": modality, "tokenCount": number, **more}


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    is_usual = draw(st.booleans())
    counts = st.integers(0, 3) | st.just(LONG_PROMPT + 1) if is_usual else COUNTS
    found: dict[str, Any] = {name: draw(counts) for name in NAMES[: draw(st.integers(3 if is_usual else 0, 4))]}
    for name in ("promptTokensDetails", "candidatesTokensDetails"):
        number = found.get(name.replace("TokensDetails", "TokenCount"), 0)
        some = (
            [[], [of_text(number)]]
            if is_usual
            else [None, [of_text(7)], [of_text(1), of_text(1)], [of_text(number, "IMAGE")], [of_text(number, more=1)]]
        )
        if draw(st.booleans()):
            found[name] = draw(st.sampled_from(some))
    if draw(st.booleans()):
        found |= draw(
            st.sampled_from(
                [
                    {"trafficType": "ON_DEMAND"},
                    *([] if is_usual else [{"serviceTier": "priority"}, {"cachedContentTokenCount": 1}]),
                ]
            )
        )
    return found


VERSIONS = st.sampled_from(["m-1", "m-2", "", "v" * 300, "v" * 299])


@given(st.lists(st.tuples(usages(), VERSIONS), min_size=1, max_size=6))
def test_many_counts_at_once_have_the_sums_of_single_ones(found: list[tuple[dict[str, Any], str]]) -> None:
    responses = [
        {"candidates": CANDIDATES, "usageMetadata": usage, "modelVersion": version} for usage, version in found
    ]
    answers = read_all_plain(b"\n".join(encoded({"response": response}) for response in responses))
    assert answers is not None
    single, many = UsageTotal(), UsageTotal()
    for response in responses:
        single.add({"response": response})
    versions, counted = (
        [one.modelVersion for one in answers],
        [one for one in answers if isinstance(one, CountedAnswer)],
    )
    if not counted:
        return
    many.add_plain([one.usageMetadata for one in counted], versions)
    assert (many.facts(), many.total, many.input) == (single.facts(), single.total, single.input)


@pytest.mark.parametrize(
    ("usage", "is_counted"),
    [
        ({}, True),
        ({"thoughtsTokenCount": 3, "trafficType": "x", "promptTokensDetails": [of_text(1)]}, True),
        ({"promptTokenCount": LONG_PROMPT + 1}, True),
        ({"promptTokensDetails": [of_text(1, "IMAGE")]}, False),
        ({"serviceTier": "priority"}, False),
        ({"cachedContentTokenCount": 1}, False),
        ({"prompt_token_count": 1}, False),
        ({"totalTokenCount": 2**31}, False),
    ],
)
def test_usual_counts_are_read_at_once(usage: dict[str, Any], *, is_counted: bool) -> None:
    given = {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3} | usage
    answers = read_all_plain(
        encoded({"response": {"candidates": CANDIDATES, "usageMetadata": given, "modelVersion": "m"}})
    )
    assert answers is not None
    assert isinstance(answers[0], CountedAnswer) == is_counted
