"""Compares the cost of each job of a plan, which is computed on demand, with the one that follows from its attempts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batchctl.model.cost.job_cost import JobCost, Pricing
from batchctl.model.forecast import JobForecast
from batchctl.model.work_size import WorkSize
from batchctl.reconcile.job_plans import _Facts
from batchctl.reconcile.view.subject import Subject

_PRICING = _Facts._pricing


def _compared(
    facts: _Facts, subject: Subject, size: WorkSize, ahead: JobForecast | None, *, bought: bool
) -> JobCost | Pricing:
    pricing = _PRICING(facts, subject, size, ahead, bought=bought)
    end = None if ahead is None or ahead.end is None else ahead.end.p50
    found = pricing if isinstance(pricing, JobCost) else pricing.cost_of(size, end)
    assert found == facts.costing.cost_of(subject, size, bought=bought, end=end), subject.name
    return pricing


@contextmanager
def every_cost_compared() -> Iterator[None]:
    """Within this, the cost of each job of each plan is compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Facts, "_pricing", _compared)
        yield
