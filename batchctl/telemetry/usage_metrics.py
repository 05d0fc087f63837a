"""Tokens and money of a plan and its record. What is not known is left out of a sum, and counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.cost.job_cost import CostTotal, total_cost
from batchctl.model.cost.tokens import Tokens
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.states import ENDED_PHASES
from batchctl.telemetry.families import model_of

_UNKNOWN = "UNKNOWN"


def tokens(recorded: Recorded) -> dict[tuple[str, ...], int]:
    """By type, modality, model and API."""
    found: Counter[tuple[str, ...]] = Counter()
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            if attempt.is_reused:
                continue
            place = model_of(attempt, job.row.model), attempt.account.api.value
            for kind, modality, number in _of_attempt(attempt):
                found[(kind, modality, *place)] += number
    return dict(found)


def _of_attempt(attempt: RecordedAttempt) -> Iterator[tuple[str, str, int]]:
    if attempt.counted is not None:
        yield from tokens_by_type(attempt.counted.usage.all)
    elif attempt.tokens is not None:
        yield "input", _UNKNOWN, attempt.tokens


def tokens_by_type(found: Tokens) -> Iterator[tuple[str, str, int]]:
    """Type, modality and number of tokens; none that are 0."""
    for kind, counts in (("input", found.input), ("cached", found.cached), ("output", found.output)):
        yield from ((kind, modality.value, number) for modality, number in counts.items() if number)
    if found.thoughts:
        yield "thoughts", _UNKNOWN, found.thoughts


def spent(plan: Plan) -> dict[tuple[str, ...], float]:
    """By currency, the sum over all jobs whose counted answers have a price."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for job in plan.jobs:
        cost = job.cost
        if cost.currency is not None and cost.actual is not None and cost.actual.money is not None:
            found[cost.currency] += cost.actual.money
    return {(currency,): float(money) for currency, money in found.items()}


def estimated(plan: Plan) -> dict[tuple[str, ...], float]:
    """By currency and bound, the sum over the jobs that have not ended."""
    total = _of_open_jobs(plan)
    if total.currency is None:
        return {}
    bounds = {"low": total.low, "high": total.high}
    return {(total.currency, bound): float(money) for bound, money in bounds.items() if money is not None}


def unknown_money(plan: Plan) -> dict[tuple[str, ...], int]:
    """By amount, the jobs that its sum does not have."""
    total, every = _of_open_jobs(plan), total_cost(job.cost for job in plan.jobs)
    if every.currency is None:
        return {}
    return {
        ("spent",): every.unknown_actual,
        ("estimated low",): total.unknown_low,
        ("estimated high",): total.unknown_high,
    }


def _of_open_jobs(plan: Plan) -> CostTotal:
    return total_cost(job.cost for job in plan.jobs if job.phase not in ENDED_PHASES)
