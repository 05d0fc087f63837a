"""Compares the cost of each job of a plan, which is computed on demand, with the one that follows from its attempts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batchctl.model.cost.job_cost import JobCost, Pricing
from batchctl.model.forecast import JobForecast
from batchctl.model.plan import JobPlan
from batchctl.reconcile import planner
from batchctl.reconcile.cost.estimates import Costing
from batchctl.reconcile.view.subject import Subject
from tests.support.values import replace

_PRICING = planner._pricing


def _compared(job: JobPlan, ahead: JobForecast | None, subject: Subject, costing: Costing) -> JobCost | Pricing:
    pricing = _PRICING(job, ahead, subject, costing)
    end = None if ahead is None or ahead.end is None else ahead.end.p50
    cost = costing.cost_of(subject, job.size, bought=job.buys, end=end)
    assert replace(job, forecast=ahead, pricing=pricing).cost == cost, job.job
    return pricing


@contextmanager
def every_cost_compared() -> Iterator[None]:
    """Within this, the cost of each job of each plan is compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "_pricing", _compared)
        yield
