"""Costs that were worked out by hand, to the last digit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchctl.model.cost.prices import Price, Prices, Rates, clashes
from batchctl.model.cost.tokens import LONG_PROMPT, Modality, Tokens, Usage
from batchctl.model.keys import Api
from tests.support.values import replace

TEXT, AUDIO, IMAGE = Modality.TEXT, Modality.AUDIO, Modality.IMAGE
DAY = date(2026, 11, 30)
CHECKED = date(2026, 11, 1)


def rates(given: str, back: str, cached: str | None = None, audio: str | None = None) -> Rates:
    return Rates(
        {TEXT: Decimal(given)} if audio is None else {TEXT: Decimal(given), AUDIO: Decimal(audio)},
        {} if cached is None else {TEXT: Decimal(cached)},
        {TEXT: Decimal(back)},
    )


FLASH = Price("gemini-2.5-flash", rates("0.15", "1.25", "0.03", "0.5"), "a page", CHECKED)
PRO = Price("gemini-2.5-pro*", rates("0.625", "5"), "a page", CHECKED, long_rates=rates("1.25", "7.5"))
BEFORE = replace(FLASH, model="gemini-3-flash", until=date(2026, 12, 1))
AFTER = replace(BEFORE, since=date(2026, 12, 1), until=None, rates=rates("0.3", "2.5"))
EMBEDDING = Price("gemini-embedding-001", Rates({TEXT: Decimal("0.075")}), "a page", CHECKED)
PRICES = Prices("USD", (FLASH, PRO, BEFORE, AFTER, EMBEDDING))


@pytest.mark.parametrize(
    ("model", "day", "tokens", "cost"),
    [
        pytest.param("gemini-2.5-flash", DAY, Tokens({TEXT: 1_000_000}), "0.15", id="a million tokens of input"),
        pytest.param("gemini-2.5-flash", DAY, Tokens({TEXT: 1}), "0.00000015", id="one token"),
        pytest.param("gemini-2.5-flash", DAY, Tokens(output={TEXT: 200_000}, thoughts=50_000), "0.3125", id="thoughts"),
        # 600,000 * 0.15 + 400,000 * 0.03 = 0.09 + 0.012
        pytest.param("gemini-2.5-flash", DAY, Tokens({TEXT: 600_000}, {TEXT: 400_000}), "0.102", id="cached tokens"),
        pytest.param("gemini-2.5-flash", DAY, Tokens({TEXT: 10, AUDIO: 100_000}), "0.0500015", id="audio"),
        pytest.param("gemini-2.5-flash", DAY, Tokens({IMAGE: 258_000}), "0.0387", id="an image costs as text"),
        pytest.param("models/gemini-2.5-flash", DAY, Tokens({TEXT: 1_000_000}), "0.15", id="a resource name"),
        pytest.param("gemini-3-flash", date(2026, 11, 30), Tokens({TEXT: 1_000_000}), "0.15", id="the last day"),
        pytest.param("gemini-3-flash", date(2026, 12, 1), Tokens({TEXT: 1_000_000}), "0.3", id="the day after it"),
        pytest.param("gemini-embedding-001", DAY, Tokens({TEXT: 2_000_000}), "0.15", id="embeddings have no output"),
        pytest.param("gemini-2.5-flash", DAY, Tokens(), "0", id="nothing"),
    ],
)
def test_costs(model: str, day: date, tokens: Tokens, cost: str) -> None:
    assert PRICES.cost(model, Api.GEMINI, day, Usage(tokens)) == Decimal(cost)


def test_a_row_with_a_long_prompt_has_rates_of_its_own() -> None:
    short = Usage(short=Tokens({TEXT: LONG_PROMPT}, output={TEXT: 1_000}))
    long = Usage(long=Tokens({TEXT: LONG_PROMPT - 1_000}, {TEXT: 1_001}, {TEXT: 1_000}))
    # 200,000 * 0.625 + 1,000 * 5 = 0.125 + 0.005
    assert PRICES.cost("gemini-2.5-pro-002", Api.VERTEX, DAY, short) == Decimal("0.13")
    assert PRICES.cost("gemini-2.5-pro", Api.VERTEX, DAY, long) is None, "its cached tokens have no rate"
    plain = Usage(long=Tokens({TEXT: LONG_PROMPT + 1}, output={TEXT: 1_000}))
    # 200,001 * 1.25 + 1,000 * 7.5 = 0.25000125 + 0.0075
    assert PRICES.cost("gemini-2.5-pro", Api.VERTEX, DAY, plain + short) == Decimal("0.13") + Decimal("0.25750125")


@pytest.mark.parametrize(
    ("model", "day"),
    [
        pytest.param("gemini-2.5-flash-lite", DAY, id="a longer name"),
        pytest.param("gemini-3-pro", DAY, id="an unknown model"),
    ],
)
def test_what_the_list_does_not_say_is_unknown(model: str, day: date) -> None:
    assert PRICES.cost(model, Api.GEMINI, day, Usage(Tokens({TEXT: 1}))) is None


def test_output_without_a_rate_is_unknown() -> None:
    assert PRICES.cost("gemini-embedding-001", Api.GEMINI, DAY, Usage(Tokens({TEXT: 1}, output={TEXT: 1}))) is None


def test_the_most_precise_price_wins() -> None:
    both = replace(FLASH, model="gemini-2.5-*")
    one_api = replace(both, api=Api.VERTEX)
    longer = replace(both, model="gemini-2.5-fl*")
    prices = Prices("USD", (longer, one_api, both, FLASH))
    assert prices.find("gemini-2.5-flash", Api.VERTEX, DAY) == FLASH
    assert prices.find("gemini-2.5-flash-8b", Api.VERTEX, DAY) == longer
    assert prices.find("gemini-2.5-pro", Api.VERTEX, DAY) == one_api
    assert prices.find("gemini-2.5-pro", Api.GEMINI, DAY) == both


def test_two_prices_for_one_day_clash() -> None:
    early, late = replace(FLASH, until=DAY), replace(FLASH, since=DAY)
    assert clashes([early, late, PRO, replace(FLASH, api=Api.VERTEX)]) == []
    assert clashes([early, FLASH, late]) == [(0, 1), (1, 2)]


counts = st.dictionaries(st.sampled_from(Modality), st.integers(0, 10**9))
some_tokens = st.builds(Tokens, counts, st.just({}), counts, st.integers(0, 10**9))


@given(some_tokens, some_tokens)
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(one: Tokens, other: Tokens) -> None:
    first, second, both = (
        PRICES.cost("gemini-2.5-flash", Api.GEMINI, DAY, Usage(t)) for t in (one, other, one + other)
    )
    assert first is not None
    assert second is not None
    assert both == first + second
    assert (one + other).total == one.total + other.total
