"""Token counts of answers, as the APIs write them, by the kinds that have prices of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.cost.tokens import LONG_PROMPT, Modality, Tokens, Usage
from batchctl.rows.token_kinds import TokenSums, tokens_of, tokens_of_publisher
from batchctl.rows.usage import UsageTotal

TEXT, IMAGE, AUDIO, VIDEO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO, Modality.VIDEO


def details(**parts: int) -> list[dict[str, Any]]:
    return [{"modality": name, "tokenCount": number} for name, number in parts.items()]


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        pytest.param({"promptTokenCount": 5}, Tokens({TEXT: 5}), id="a prompt alone"),
        pytest.param(
            {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12},
            Tokens({TEXT: 5}, output={TEXT: 7}),
            id="no modality means text",
        ),
        pytest.param(
            {"promptTokenCount": 300, "promptTokensDetails": details(TEXT=42, IMAGE=258)},
            Tokens({TEXT: 42, IMAGE: 258}),
            id="a picture",
        ),
        pytest.param(
            {"promptTokenCount": 300, "promptTokensDetails": details(AUDIO=100, VIDEO=150)},
            Tokens({AUDIO: 100, VIDEO: 150, TEXT: 50}),
            id="parts that are less than the sum: the rest is text",
        ),
        pytest.param(
            {
                "promptTokenCount": 1000,
                "promptTokensDetails": details(TEXT=200, AUDIO=800),
                "cachedContentTokenCount": 700,
                "cacheTokensDetails": details(TEXT=100, AUDIO=600),
                "candidatesTokenCount": 10,
                "candidatesTokensDetails": details(TEXT=10),
                "thoughtsTokenCount": 33,
                "totalTokenCount": 1043,
            },
            Tokens({TEXT: 100, AUDIO: 200}, {TEXT: 100, AUDIO: 600}, {TEXT: 10}, 33),
            id="a cache: the prompt has its tokens, too",
        ),
        pytest.param(
            {"promptTokenCount": 10, "cachedContentTokenCount": 10}, Tokens({}, {TEXT: 10}), id="all from a cache"
        ),
        pytest.param(
            {"promptTokenCount": 10, "toolUsePromptTokenCount": 5, "toolUsePromptTokensDetails": details(TEXT=5)},
            Tokens({TEXT: 15}),
            id="what tools gave is input",
        ),
        pytest.param(
            {"promptTokenCount": "10", "candidatesTokenCount": "2"}, Tokens({TEXT: 10}, output={TEXT: 2}), id="texts"
        ),
        pytest.param(
            {
                "prompt_token_count": 10,
                "prompt_tokens_details": [{"modality": "IMAGE", "token_count": 10}],
                "candidates_token_count": 2,
            },
            Tokens({IMAGE: 10}, output={TEXT: 2}),
            id="the names of clients",
        ),
        pytest.param(
            {
                "promptTokenCount": 9,
                "candidatesTokenCount": 1300,
                "candidatesTokensDetails": details(IMAGE=1290, TEXT=10),
            },
            Tokens({TEXT: 9}, output={IMAGE: 1290, TEXT: 10}),
            id="a picture in the answer",
        ),
        pytest.param({"promptTokenCount": 9, "serviceTier": "flex"}, Tokens({TEXT: 9}), id="flex costs as much"),
        pytest.param({"promptTokenCount": 9, "serviceTier": "STANDARD"}, Tokens({TEXT: 9}), id="the standard tier"),
        pytest.param({"promptTokenCount": 9, "serviceTier": "priority"}, None, id="a tier with other prices"),
        pytest.param({"promptTokenCount": 9, "serviceTier": 7}, None, id="a tier that is none"),
        pytest.param({}, None, id="nothing"),
        pytest.param({"candidatesTokenCount": 3}, None, id="no prompt"),
        pytest.param({"promptTokenCount": -1}, None, id="a number that cannot be"),
        pytest.param({"promptTokenCount": 5, "thoughtsTokenCount": "many"}, None, id="a count that is none"),
        pytest.param({"promptTokenCount": 5, "promptTokensDetails": details(TEXT=6)}, None, id="a part above the sum"),
        pytest.param({"promptTokenCount": 5, "promptTokensDetails": details(SMELL=5)}, None, id="a new modality"),
        pytest.param({"promptTokenCount": 5, "promptTokensDetails": [5]}, None, id="a part that is none"),
        pytest.param({"promptTokenCount": 5, "cachedContentTokenCount": 6}, None, id="more from a cache than there is"),
    ],
)
def test_the_tokens_of_an_answer(usage: dict[str, Any], tokens: Tokens | None) -> None:
    assert tokens_of(usage) == tokens


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input_tokens": 3, "output_tokens": 4}, Tokens({TEXT: 3}, output={TEXT: 4})),
        ({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}, Tokens({TEXT: 3}, output={TEXT: 4})),
        ({"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 9}, None),
        ({"input_tokens": 3}, None),
    ],
)
def test_the_tokens_of_another_publishers_answer(usage: dict[str, Any], tokens: Tokens | None) -> None:
    assert tokens_of_publisher(usage) == tokens


def test_rows_with_long_prompts_are_apart() -> None:
    sums = TokenSums()
    for prompt in (LONG_PROMPT, LONG_PROMPT + 1):
        sums.add({"promptTokenCount": prompt, "candidatesTokenCount": 1})

    assert sums.counted.usage == Usage(
        Tokens({TEXT: LONG_PROMPT}, output={TEXT: 1}), Tokens({TEXT: LONG_PROMPT + 1}, output={TEXT: 1})
    )


@pytest.mark.parametrize(
    ("outcomes", "rows", "uncounted"),
    [
        pytest.param([{"response": {"usageMetadata": {"promptTokenCount": 1}}}], 1, 0, id="counted"),
        pytest.param([{"response": {"usage_metadata": {"prompt_token_count": 1}}}], 1, 0, id="the names of clients"),
        pytest.param([{"response": {"embedding": {}, "tokenCount": "4"}}], 1, 0, id="an embedding"),
        pytest.param([{"response": {"body": {"usage": {"input_tokens": 1, "output_tokens": 1}}}}], 1, 0, id="a body"),
        pytest.param([{"response": {"candidates": []}}], 0, 1, id="an answer without counts"),
        pytest.param([{"error": {"code": 3}}], 0, 0, id="an error costs nothing"),
        pytest.param([None], 0, 1, id="an answer that cannot be read"),
    ],
)
def test_outcomes(outcomes: list[dict[str, Any] | None], rows: int, uncounted: int) -> None:
    total = UsageTotal()
    for outcome in outcomes:
        total.add(outcome)

    assert (total.counted.rows, total.counted.uncounted) == (rows, uncounted)


COUNTS = st.integers(0, 3) | st.integers(LONG_PROMPT - 1, LONG_PROMPT + 1) | st.sampled_from([-1, None, "7", True, 2.0])


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"):
        if draw(st.booleans()):
            found[name] = draw(COUNTS)
    for name in ("promptTokensDetails", "candidatesTokensDetails"):
        number = found.get(name.replace("TokensDetails", "TokenCount"))
        if draw(st.booleans()) and isinstance(number, int):
            found[name] = draw(st.sampled_from([details(TEXT=number), details(IMAGE=number), []]))
    if draw(st.booleans()):
        found["trafficType"] = "ON_DEMAND"
    return found


@given(st.lists(usages(), min_size=1, max_size=6))
def test_many_answers_at_once_have_the_sums_of_single_ones(found: list[dict[str, Any]]) -> None:
    single, many = TokenSums(), TokenSums()
    for usage in found:
        single.add(usage)
    many.add_all(found)

    assert many.counted == single.counted
    assert many.counted.rows + many.counted.uncounted == len(found)


def test_the_retirement_that_answers_name_is_kept() -> None:
    total = UsageTotal()
    times = ["2027-03-01T00:00:00Z", "2027-02-01T09:00:00+09:00", "soon", 7, None]
    total.note_statuses([{"modelStage": "STABLE", "retirementTime": time} for time in times])
    total.add({"response": {"modelStatus": {"retirementTime": "2027-04-01T00:00:00Z"}}})
    total.note_statuses(["no status"])

    assert total.counted.retires == datetime(2027, 2, 1, tzinfo=UTC)
    assert UsageTotal().counted.retires is None
