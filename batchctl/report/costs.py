"""The costs of jobs, for documents."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from batchctl.model.cost.job_cost import Actual, CostEstimate, CostTotal, JobCost, total_cost
from batchctl.model.cost.retirement import Retirement
from batchctl.model.cost.spending import BudgetUse, Use
from batchctl.model.cost.tokens import Counts, Modality, Tokens
from batchctl.model.json_value import Json
from batchctl.model.plan import JobPlan


def cost_fields(cost: JobCost) -> dict[str, Json]:
    """The cost of one job. Money is a decimal text; what is not known is null."""
    estimate = cost.estimate
    tokens = None if estimate is None else estimate.tokens
    basis = None if tokens is None or tokens.output_basis is None else tokens.output_basis.value
    return {
        "tokens": {
            "input": None if tokens is None else tokens.input,
            "outputLow": None if tokens is None else tokens.output_low,
            "outputHigh": None if tokens is None else tokens.output_high,
            "inputBasis": None if tokens is None else tokens.basis.value,
            "outputBasis": basis,
        },
        "estimate": None if estimate is None else _estimate_fields(estimate, cost.currency),
        "actual": None if cost.actual is None else _actual_fields(cost.actual, cost.currency),
        "error": amount_text(cost.error),
    }


def total_fields(costs: Iterable[JobCost]) -> dict[str, Json]:
    """The sum of the costs of jobs. Each sum leaves out the jobs that do not know it, and `unknown` counts them."""
    total = total_cost(costs)
    return {
        "tokens": {"input": total.input, "outputLow": total.output_low, "outputHigh": total.output_high},
        "estimate": _total_estimate(total),
        "actual": None if total.actual is None else _actual_fields(total.actual, total.currency),
        "unknown": {"low": total.unknown_low, "high": total.unknown_high, "actual": total.unknown_actual},
    }


def expected_fields(costs: Iterable[JobCost]) -> dict[str, Json] | None:
    """The range of what jobs cost together, as the text of a plan has it; None without a price list.

    `unknown` counts the jobs that it leaves out.
    """
    total = total_cost(costs)
    if total.currency is None:
        return None
    ends = {"low": amount_text(total.least), "high": amount_text(total.most)}
    return {**ends, "currency": total.currency, "unknown": total.unknown}


def budget_fields(budget: BudgetUse | None) -> dict[str, Json] | None:
    """How much of the limits is used; None without limits. Tokens are texts, too: money and tokens have one form."""
    if budget is None:
        return None
    return {
        "periodSeconds": int(budget.period.total_seconds()),
        "money": _use_fields(budget.money),
        "tokens": _use_fields(budget.tokens),
    }


def _use_fields(use: Use | None) -> dict[str, Json] | None:
    if use is None:
        return None
    return {
        "unit": use.unit,
        "limit": amount_text(use.limit),
        "perRun": amount_text(use.run_limit),
        "spent": amount_text(use.spent),
        "planned": amount_text(use.planned),
        "unknown": use.unknown,
        "unknownPlanned": use.unknown_planned,
    }


def retirement_entries(retirements: Iterable[Retirement]) -> list[Json]:
    """The retirements of models, the earliest first; `days` is negative after it."""
    return [
        {
            "model": one.model,
            "api": one.api.value,
            "date": str(one.day),
            "days": one.days,
            "source": one.source,
            "jobs": list(one.jobs),
        }
        for one in retirements
    ]


def bought_costs(jobs: Iterable[JobPlan]) -> list[JobCost]:
    """The costs of the jobs that are bought."""
    return [job.cost for job in jobs if job.buys]


def amount_text(amount: Decimal | None) -> str | None:
    """An exact amount, without zeros at its end and never as a power of ten; None stays None."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def token_fields(tokens: Tokens) -> dict[str, Json]:
    """Tokens by kind. `input` is without cached tokens, `output` without thoughts; each has its parts by modality."""
    return {
        "input": sum(tokens.input.values()),
        "cached": sum(tokens.cached.values()),
        "output": sum(tokens.output.values()),
        "thoughts": tokens.thoughts,
        "total": tokens.total,
        "byModality": {
            **_by_modality("input", tokens.input),
            **_by_modality("cached", tokens.cached),
            **_by_modality("output", tokens.output),
        },
    }


def _by_modality(kind: str, counts: Counts) -> dict[str, Json]:
    """By the names of a price list, such as `input` and `inputAudio`."""
    return {
        kind if modality is Modality.TEXT else f"{kind}{modality.capitalize()}": counts[modality]
        for modality in Modality
        if counts.get(modality)
    }


def _estimate_fields(estimate: CostEstimate, currency: str | None) -> dict[str, Json] | None:
    money = estimate.money
    if money is None:
        return None
    return {
        "input": amount_text(money.input),
        "low": amount_text(money.low),
        "high": amount_text(money.high),
        "currency": currency,
        "day": str(estimate.day),
        "dayBasis": estimate.day_basis.value,
    }


def _total_estimate(total: CostTotal) -> dict[str, Json] | None:
    if total.input_money is None:
        return None
    return {
        "input": amount_text(total.input_money),
        "low": amount_text(total.low),
        "high": amount_text(total.high),
        "currency": total.currency,
    }


def _actual_fields(actual: Actual, currency: str | None) -> dict[str, Json]:
    return {
        "tokens": token_fields(actual.usage.all),
        "rows": actual.rows,
        "uncounted": actual.uncounted,
        "money": amount_text(actual.money),
        "currency": currency,
    }
