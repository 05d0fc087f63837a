"""Tokens and money: plans with values, read as metrics."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from batchctl.model.actions import Action
from batchctl.model.cost.job_cost import Actual, CostEstimate, InputBasis, JobCost, MoneyRange, TokenEstimate
from batchctl.model.cost.tokens import Counted, Modality, Tokens, Usage
from batchctl.model.plan import Plan
from batchctl.model.states import Phase
from batchctl.telemetry.usage_metrics import estimated, spent, tokens, unknown_money
from tests.support.report_samples import job_plan
from tests.support.values import replace
from tests.telemetry.test_state_metrics import attempt, recorded


def cost(low: str | None = None, high: str | None = None, money: str | None = None, *, counted: bool = True) -> JobCost:
    amounts = MoneyRange(Decimal(0), low and Decimal(low), high and Decimal(high))
    estimate = CostEstimate(TokenEstimate(1, InputBasis.BYTES), date(2026, 11, 22), money=amounts)
    actual = Actual(Usage(), 1, money=None if money is None else Decimal(money)) if counted else None
    return JobCost("USD", estimate, actual)


def plan(*costs: tuple[Phase, JobCost]) -> Plan:
    jobs = [
        replace(job_plan(f"j{number}", Action.WAIT, phase), pricing=one) for number, (phase, one) in enumerate(costs)
    ]
    return Plan("shop", tuple(jobs))


def test_money_is_summed_exactly_and_what_is_not_known_is_counted():
    made = plan(
        (Phase.ACTIVE, cost("0.1", "0.7", counted=False)),
        (Phase.WAITING, cost("0.2", None, counted=False)),
        (Phase.SUCCEEDED, cost("9", "9", "0.1")),
        (Phase.SUCCEEDED, cost("9", "9", "0.2")),
        (Phase.FAILED, cost(None, None, None)),
    )
    assert spent(made) == {("USD",): 0.3}
    assert estimated(made) == {("USD", "low"): 0.3, ("USD", "high"): 0.7}
    assert unknown_money(made) == {("spent",): 1, ("estimated low",): 0, ("estimated high",): 1}


def test_without_a_price_list_there_is_no_money():
    made = plan((Phase.ACTIVE, JobCost()), (Phase.SUCCEEDED, JobCost(None, None, Actual(Usage(), 1))))
    assert (spent(made), estimated(made), unknown_money(made)) == ({}, {}, {})


def test_tokens_by_type_and_modality_of_every_attempt():
    text, image = Modality.TEXT, Modality.IMAGE
    first = Counted(Usage(Tokens({text: 5, image: 100}, {text: 2}, {text: 7}, 3), Tokens({text: 1000})), 2)
    second = Counted(Usage(Tokens({text: 1}, {}, {text: 0})), 1)
    found = tokens(recorded(attempt(1, counted=first), attempt(2, counted=second), attempt(3, tokens=40)))
    place = ("gemini-x", "vertex")
    assert found == {
        ("input", "TEXT", *place): 1006,
        ("input", "IMAGE", *place): 100,
        ("input", "UNKNOWN", *place): 40,
        ("cached", "TEXT", *place): 2,
        ("output", "TEXT", *place): 7,
        ("thoughts", "UNKNOWN", *place): 3,
    }


def test_reused_answers_are_not_counted_twice():
    assert tokens(recorded(attempt(1, tokens=40, results="a/1"))) == {}
