"""The costs of jobs, in words. Only stacks with a price list have words about money."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from batchctl.model.cost.amounts import money_words
from batchctl.model.cost.job_cost import (
    Actual,
    CostEstimate,
    DayBasis,
    InputBasis,
    JobCost,
    TokenEstimate,
    total_cost,
)
from batchctl.model.cost.retirement import Retirement
from batchctl.model.cost.spending import BudgetUse, Use, period_words
from batchctl.model.cost.tokens import Counts, Modality
from batchctl.model.plan import JobPlan, Plan
from batchctl.report.layout import count

_TOKENS = "tokens"
_BASES = {
    InputBasis.BYTES: "by a quarter of the bytes",
    InputBasis.LEARNED: "by the bytes and what the API counted in earlier jobs",
    InputBasis.COUNT_TOKENS: "countTokens",
    InputBasis.COUNTED: "as the API counted it",
}


def money_text(amount: Decimal) -> str:
    """An amount in cents, `1,234.50`; of less than one, two digits: `0.0043`."""
    return money_words(amount, grouped=True)


def range_text(low: Decimal | None, high: Decimal | None) -> str:
    """`~0.12 to 0.34`; one of them if the other is not known, or they are the same cents; empty without any."""
    known = list(dict.fromkeys(money_text(amount) for amount in (low, high) if amount is not None))
    if not known:
        return ""
    limit = "up to " if low is None else "from " if high is None else "~"
    return limit + " to ".join(known)


def cost_text(cost: JobCost) -> str:
    """The cost so far, as the API counted it, else the expected one, for a cell; `?` if neither is known."""
    actual, estimate = cost.actual, cost.estimate
    if actual is not None and actual.money is not None:
        return money_text(actual.money)
    money = None if estimate is None or actual is not None else estimate.money
    return ("" if money is None else range_text(money.low, money.high)) or "?"


def has_money(costs: Iterable[JobCost]) -> bool:
    """Whether the stack has a price list, so that there is anything to say about money."""
    return any(cost.currency is not None for cost in costs)


def estimate_words(cost: JobCost) -> str:
    """The expected cost of work to buy, `~0.12 to 0.34 USD`; empty without a price list."""
    if cost.currency is None:
        return ""
    if cost.estimate is None:
        return "cost not known"
    money = cost.estimate.money
    if money is None:
        return f"no price on {cost.estimate.day}"
    found = range_text(money.low, money.high)
    return f"{found} {cost.currency}" if found else f"{money_text(money.input)} {cost.currency} and its output"


def plan_cost_sentences(plan: Plan) -> tuple[str, ...]:
    """The cost of what a plan buys, and the budget; empty without a price list and limits."""
    costs = [job.cost for job in plan.jobs if job.buys]
    found = [_total_sentence(costs)] if costs and has_money(costs) else []
    return (*found, *(_budget_sentences(plan.budget) if plan.budget is not None else ()))


def retirement_sentences(retirements: Iterable[Retirement]) -> tuple[str, ...]:
    """The retirements that are near or past, a sentence for each."""
    return tuple(f"{one.words}." for one in retirements if one.is_near)


def spent_sentence(costs: Iterable[JobCost]) -> str:
    """The cost of what was counted; empty without a price list, or if nothing was counted."""
    total = total_cost(costs)
    if total.actual is None or total.currency is None:
        return ""
    unknown = total.unknown_actual
    if total.actual.money is None:
        return f"Cost so far: not known for {count(unknown, 'job')}."
    more = f", and {count(unknown, 'job')} of unknown cost" if unknown else ""
    return f"Cost so far: {money_text(total.actual.money)} {total.currency}{more}."


def describe_cost(cost: JobCost) -> list[tuple[str, str]]:
    """The cost of a job, as titles with their texts; empty if nothing is known."""
    found = []
    if cost.estimate is not None:
        found.append(("Expected", _expected(cost.estimate)))
        if cost.currency is not None:
            found.append(("Expected cost", f"{estimate_words(cost)}{_day(cost.estimate)}"))
    if cost.actual is not None:
        found.append(("Counted", _counted(cost.actual)))
        if cost.currency is not None:
            money = cost.actual.money
            found.append(("Cost", "not known" if money is None else f"{money_text(money)} {cost.currency}"))
    if cost.error is not None:
        sign = "-" if cost.error < 0 else "+"
        found.append(("Estimate was off by", f"{sign}{money_text(abs(cost.error))} {cost.currency}"))
    return found


def _total_sentence(costs: list[JobCost]) -> str:
    total = total_cost(costs)
    more = f"; {count(total.unknown, 'job')} of unknown cost" if total.unknown else ""
    found = range_text(total.least, total.most)
    days = sorted({cost.estimate.day for cost in costs if cost.estimate is not None and cost.estimate.money})
    prices = f" at the prices of {days[0]}" if len(days) == 1 else ""
    return f"Costs {found} {total.currency}{prices}{more}." if found else f"Its cost is not known{more}."


def _budget_sentences(budget: BudgetUse) -> tuple[str, ...]:
    uses = [use for use in (budget.money, budget.tokens) if use is not None]
    return tuple(
        f"Budget: {_amount(use.spent, use, unit=False)} of {_amount(use.limit, use)} spent or committed in the last "
        f"{period_words(budget.period)}."
        for use in uses
        if use.limit is not None
    )


def _amount(amount: Decimal, use: Use, *, unit: bool = True) -> str:
    """Money is rounded up, as where a guard compares it with the limit."""
    number = f"{int(amount):,}" if use.unit == _TOKENS else money_words(amount, ROUND_CEILING)
    return f"{number} {use.unit}" if unit else number


def _expected(estimate: CostEstimate) -> str:
    tokens = estimate.tokens
    low, high = tokens.output_low, tokens.output_high
    if low == high:
        output = "output not known" if low is None else f"{low:,} of output"
    elif high is None:
        output = f"about {low:,} of output"
    else:
        output = f"up to {high:,} of output" if low is None else f"{low:,} to {high:,} of output"
    return f"{tokens.input:,} tokens of input ({_basis(tokens)}), {output}"


def _basis(tokens: TokenEstimate) -> str:
    rows = f" of {count(tokens.sampled_rows, 'row')}" if tokens.sampled_rows else ""
    return f"{_BASES[tokens.basis]}{rows}"


def _day(estimate: CostEstimate) -> str:
    if estimate.money is None:
        return ""
    forecast = ", its expected end" if estimate.day_basis is DayBasis.FORECAST else ""
    return f" at the prices of {estimate.day}{forecast}"


def _counted(actual: Actual) -> str:
    tokens = actual.usage.all
    parts = [
        *_kinds("input", tokens.input),
        *_kinds("cached", tokens.cached),
        *_kinds("output", tokens.output),
        *([f"{tokens.thoughts:,} thoughts"] if tokens.thoughts else []),
    ]
    more = f"; {count(actual.uncounted, 'answer')} not counted" if actual.uncounted else ""
    return f"{tokens.total:,} tokens: {', '.join(parts)}{more}" if parts else f"no tokens{more}"


def _kinds(kind: str, counts: Counts) -> list[str]:
    return [
        f"{counts[modality]:,} {kind}" + ("" if modality is Modality.TEXT else f" ({modality.lower()})")
        for modality in Modality
        if counts.get(modality)
    ]


def words_of_job(job: JobPlan) -> str:
    """The expected cost of a job that is bought; empty if it buys nothing, or without a price list."""
    return estimate_words(job.cost) if job.buys else ""
