"""The words for costs: ranges, unknown ends, sums that leave jobs out, budgets."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from batchctl.model.actions import Action
from batchctl.model.cost.job_cost import (
    Actual,
    CostEstimate,
    DayBasis,
    InputBasis,
    JobCost,
    MoneyRange,
    TokenEstimate,
)
from batchctl.model.cost.spending import BudgetUse, SpendingLimits, Use, period_words
from batchctl.model.cost.tokens import Modality, Tokens, Usage
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.report.cost_text import (
    cost_text,
    describe_cost,
    estimate_words,
    money_text,
    plan_cost_sentences,
    range_text,
    spent_sentence,
)
from tests.support.job_plans import job_plan
from tests.support.values import replace

DAY = date(2026, 11, 30)


def usd(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def cost(low: str | None = None, high: str | None = None, given: str | None = "0.1", **fields: Any) -> JobCost:
    tokens = TokenEstimate(
        1000, InputBasis.BYTES, output_low=None if low is None else 20, output_high=None if high is None else 300
    )
    money = None if given is None else MoneyRange(Decimal(given), usd(low), usd(high))
    return JobCost("USD", CostEstimate(tokens, DAY, DayBasis.TODAY, money), **fields)


def actual(amount: str | None, uncounted: int = 0) -> Actual:
    short = Tokens({Modality.TEXT: 1000, Modality.AUDIO: 5}, {Modality.TEXT: 7}, {Modality.TEXT: 20}, 3)
    return Actual(Usage(short), 10, uncounted, usd(amount))


def bought(*costs: JobCost, **fields: Any) -> Plan:
    jobs = tuple(with_cost(f"j{number}", one) for number, one in enumerate(costs))
    return Plan("shop", jobs, **fields)


def with_cost(name: str, found: JobCost) -> JobPlan:
    return replace(job_plan(name, Action.CREATE, Phase.WAITING, Reason.NEW, "new", buys=True), pricing=found)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("0.004", "0.004"),
        ("0.00996", "0.01"),
        ("0.0000618", "0.000062"),
        ("-0.0051", "-0.0051"),
        ("1.2", "1.20"),
        ("12345.678", "12,345.68"),
    ],
)
def test_money(amount: str, text: str) -> None:
    assert money_text(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        ("0.1", "0.3", "~0.10 to 0.30"),
        ("0.101", "0.102", "~0.10"),
        (None, "0.3", "up to 0.30"),
        ("0.1", None, "from 0.10"),
        (None, None, ""),
    ],
)
def test_ranges(low: str | None, high: str | None, text: str) -> None:
    assert range_text(usd(low), usd(high)) == text


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (JobCost(), ""),
        (JobCost("USD"), "cost not known"),
        (cost(given=None), "no price on 2026-11-30"),
        (cost(), "0.10 USD and its output"),
        (cost("0.2", "0.4"), "~0.20 to 0.40 USD"),
        (cost(high="0.4"), "up to 0.40 USD"),
    ],
)
def test_of_one_job(found: JobCost, words: str) -> None:
    assert estimate_words(found) == words


@pytest.mark.parametrize(
    ("costs", "sentences"),
    [
        ([], ()),
        ([JobCost()], ()),
        ([cost("0.2", "0.4"), cost("1", "2")], ("Costs ~1.20 to 2.40 USD at the prices of 2026-11-30.",)),
        ([cost("0.2", "0.4"), cost(high="2")], ("Costs ~0.30 to 2.40 USD at the prices of 2026-11-30.",)),
        ([cost("0.2", "0.4"), cost("1")], ("Costs from 1.20 USD at the prices of 2026-11-30.",)),
        ([cost(high="0.4"), cost(high="2")], ("Costs up to 2.40 USD at the prices of 2026-11-30.",)),
        (
            [cost("0.2", "0.4"), JobCost("USD"), cost(given=None)],
            ("Costs ~0.20 to 0.40 USD at the prices of 2026-11-30; 2 jobs of unknown cost.",),
        ),
        ([cost()], ("Its cost is not known; 1 job of unknown cost.",)),
    ],
)
def test_of_a_plan(costs: list[JobCost], sentences: tuple[str, ...]) -> None:
    assert plan_cost_sentences(bought(*costs)) == sentences


def test_prices_of_several_days_have_no_day() -> None:
    other = cost("1", "2")
    assert other.estimate is not None
    other = replace(other, estimate=replace(other.estimate, day=DAY + timedelta(days=1)))
    assert plan_cost_sentences(bought(cost("1", "2"), other)) == ("Costs ~2.00 to 4.00 USD.",)


def test_budgets() -> None:
    money = Use("USD", Decimal(100), None, Decimal("3.4"), Decimal(1))
    tokens = Use("tokens", Decimal(5000), None, Decimal(1234), Decimal(1))
    use = BudgetUse(SpendingLimits().period, money, tokens)
    assert plan_cost_sentences(bought(budget=use)) == (
        "Budget: 3.40 of 100.00 USD spent or committed in the last 30 days.",
        "Budget: 1,234 of 5,000 tokens spent or committed in the last 30 days.",
    )
    assert plan_cost_sentences(bought(budget=replace(use, money=None, tokens=replace(tokens, limit=None)))) == ()


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(days=1), "24 hours"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=90), "1h30m"),
    ],
)
def test_periods(period: timedelta, words: str) -> None:
    assert period_words(period) == words


def test_the_cost_so_far() -> None:
    assert spent_sentence([cost()]) == ""
    assert spent_sentence([replace(cost(), actual=actual("1"), currency=None)]) == ""
    assert spent_sentence([cost(actual=actual("1")), cost(actual=actual("0.5"))]) == "Cost so far: 1.50 USD."
    some = [cost(actual=actual("1")), cost(actual=actual(None)), cost()]
    assert spent_sentence(some) == "Cost so far: 1.00 USD, and 1 job of unknown cost."
    assert spent_sentence([cost(actual=actual(None))] * 2) == "Cost so far: not known for 2 jobs."


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (cost("1", "2"), "~1.00 to 2.00"),
        (cost("1", "2", actual=actual("1.5")), "1.50"),
        (cost("1", "2", actual=actual(None)), "?"),
        (cost(), "?"),
        (JobCost("USD"), "?"),
    ],
)
def test_cells(found: JobCost, text: str) -> None:
    assert cost_text(found) == text


def test_a_description() -> None:
    found = cost("1", "2", actual=actual("1.5", uncounted=2), error=Decimal("-0.5"))
    assert describe_cost(found) == [
        ("Expected", "1,000 tokens of input (by a quarter of the bytes), 20 to 300 of output"),
        ("Expected cost", "~1.00 to 2.00 USD at the prices of 2026-11-30"),
        (
            "Counted",
            "1,035 tokens: 1,000 input, 5 input (audio), 7 cached, 20 output, 3 thoughts; 2 answers not counted",
        ),
        ("Cost", "1.50 USD"),
        ("Estimate was off by", "-0.50 USD"),
    ]
    assert describe_cost(JobCost()) == []
    assert [title for title, _ in describe_cost(replace(found, currency=None, error=None))] == ["Expected", "Counted"]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(None, None, "output not known"), ("1", None, "about 20 of output"), (None, "2", "up to 300 of output")],
)
def test_what_is_expected(low: str | None, high: str | None, words: str) -> None:
    (_, expected), *_ = describe_cost(cost(low, high))
    assert expected.endswith(words)


def test_the_day_of_the_expected_end() -> None:
    found = cost("1", "2")
    assert found.estimate is not None
    found = replace(found, estimate=replace(found.estimate, day_basis=DayBasis.FORECAST))
    assert describe_cost(found)[1][1] == "~1.00 to 2.00 USD at the prices of 2026-11-30, its expected end"
    assert describe_cost(cost(given=None))[1][1] == "no price on 2026-11-30"
    assert describe_cost(cost(actual=actual(None)))[-1] == ("Cost", "not known")
