"""Budgets: plans with values, read as metrics."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from batchctl.model.cost.spending import BudgetUse, Use
from batchctl.model.plan import Plan
from batchctl.telemetry.budget_metrics import budget

WEEK = timedelta(days=7)


def use(unit: str, limit: str | None, spent: str, planned: str = "0", unknown: int = 0) -> Use:
    return Use(unit, None if limit is None else Decimal(limit), None, Decimal(spent), Decimal(planned), unknown)


def numbers(found: BudgetUse | None) -> dict[str, dict[tuple[str, ...], float]]:
    pairs = budget(Plan("shop", (), budget=found))
    return {metric.name.removeprefix("batchctl_budget_"): values for metric, values in pairs if values}


def test_money_and_tokens_have_their_units():
    found = numbers(BudgetUse(WEEK, use("USD", "20", "17.5", "0.1", 2), use("tokens", "1000000", "250000")))
    assert found == {
        "limit": {("USD",): 20, ("tokens",): 1e6},
        "spent": {("USD",): 17.5, ("tokens",): 250_000},
        "planned": {("USD",): 0.1, ("tokens",): 0},
        "used_ratio": {("USD",): 0.875, ("tokens",): 0.25},
        "unknown_attempts": {("USD",): 2, ("tokens",): 0},
    }


@pytest.mark.parametrize(
    "found", [None, BudgetUse(WEEK), BudgetUse(WEEK, use("USD", None, "3"), use("tokens", None, "3"))]
)
def test_without_a_limit_for_the_period_there_are_no_numbers(found):
    assert numbers(found) == {}


@pytest.mark.parametrize(("spent", "ratio"), [("0", 0.0), ("0.01", float("inf"))])
def test_a_limit_of_nothing(spent, ratio):
    assert numbers(BudgetUse(WEEK, use("USD", "0", spent)))["used_ratio"] == {("USD",): ratio}
