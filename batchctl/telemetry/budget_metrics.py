"""How much of the limits of a stack is used, in money and in tokens."""

from __future__ import annotations

from collections.abc import Iterator

from batchctl.model.cost.spending import Use
from batchctl.model.plan import Plan
from batchctl.telemetry import catalogue
from batchctl.telemetry.catalogue import Metric


def budget(plan: Plan) -> Iterator[tuple[Metric, dict[tuple[str, ...], float]]]:
    """Each metric of the limits, with its values by unit; none for a unit without a limit for the period."""
    use = plan.budget
    given = [] if use is None else [one for one in (use.money, use.tokens) if one is not None and one.limit is not None]
    yield catalogue.BUDGET_LIMIT, {(one.unit,): float(one.limit or 0) for one in given}
    yield catalogue.BUDGET_SPENT, {(one.unit,): float(one.spent) for one in given}
    yield catalogue.BUDGET_PLANNED, {(one.unit,): float(one.planned) for one in given}
    yield catalogue.BUDGET_USED, {(one.unit,): _ratio(one) for one in given}
    yield catalogue.BUDGET_UNKNOWN, {(one.unit,): one.unknown for one in given}


def _ratio(use: Use) -> float:
    if use.limit:
        return float(use.spent / use.limit)
    # Nothing may be spent at all.
    return float("inf") if use.spent else 0.0
