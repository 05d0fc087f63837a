"""The plan of each job: its decision, with the facts that reports show beside it.

All that is found out about a job is found in one walk: each further walk through a hundred thousand jobs would wait for
their memory again.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.cost.job_cost import JobCost, Pricing
from batchctl.model.decision import Decision, Guard
from batchctl.model.forecast import JobForecast, StackForecast
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason
from batchctl.model.work_size import WorkSize
from batchctl.reconcile.admission.sizes import is_bought, planned_size
from batchctl.reconcile.admission.tokens import TokenRates, learn_rates
from batchctl.reconcile.cost.estimates import Costing, costing_of
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.forecast.attempts import Comparison
from batchctl.reconcile.forecast.jobs import Basis, Forecasts, JobAhead, is_created_now, is_over
from batchctl.reconcile.forecast.learn import learn_history
from batchctl.reconcile.view.subject import Subject
from batchctl.reconcile.view.terms import find_terms

_NAMES_ROWS = frozenset({Reason.WORK_CHANGED, Reason.ROWS_ANSWERED})
"""Reasons whose words say which rows are sent, where the ledger knows it."""


def plan_jobs(decisions: Decisions, context: Context) -> tuple[tuple[JobPlan, ...], StackForecast | None]:
    """The plans of all jobs by name, and the forecast of the stack."""
    forecasts = Forecasts(lambda: _basis(context))
    facts = _Facts(context, context.learn(learn_rates), costing_of(context), forecasts)
    guards = decisions.guards
    jobs = [facts.plan_of(*decisions.jobs[name], guards.get(name)) for name in sorted(decisions.jobs)]
    others = forecasts.others()
    if others:
        for place, job in enumerate(jobs):
            if job.job in others:
                jobs[place] = facts.with_forecast(job, decisions.jobs[job.job][0], others[job.job])
    return tuple(jobs), forecasts.of_stack(len(jobs))


def _basis(context: Context) -> Basis:
    clocks = {account: look.now for account, look in context.observed.items()}
    return Basis(Comparison(context.learn(learn_history)), clocks, context.now, context.stack.limits.stuck_factor)


class _Facts(Struct, frozen=True):
    """Finds the facts of the jobs of one plan."""

    context: Context
    rates: TokenRates
    costing: Costing
    forecasts: Forecasts

    def plan_of(self, subject: Subject, decision: Decision, guard: Guard | None) -> JobPlan:
        """The plan of a job. If its forecast follows from those of others, it is still missing."""
        view, desired, work = subject.current, subject.desired, self.context.rows_of(subject)
        bought, size = is_bought(decision), planned_size(subject, decision, work, self.rates)
        if work is not None and work.to_send < work.total and decision.code in _NAMES_ROWS:
            from batchctl.reconcile.view.changes import without_beyond

            decision = replace(decision, changes=without_beyond(decision.changes))
        forecast = self._forecast(subject, decision, guard, size)
        return JobPlan(
            subject.name,
            decision,
            guard,
            None if view is None else view.attempt,
            size,
            bought,
            None if desired is None else desired.chain_rows,
            work,
            find_terms(subject, decision, guard, self.context.options),
            subject.labels,
            "" if desired is None else desired.path,
            None if desired is None else desired.expansion,
            self._pricing(subject, size, forecast, bought=bought),
            forecast,
        )

    def with_forecast(self, job: JobPlan, subject: Subject, forecast: JobForecast) -> JobPlan:
        """The plan of a job with its forecast, which was still missing."""
        return replace(job, forecast=forecast, pricing=self._pricing(subject, job.size, forecast, bought=job.buys))

    def _forecast(
        self, subject: Subject, decision: Decision, guard: Guard | None, size: WorkSize
    ) -> JobForecast | None:
        """The forecast of a job; None if it has none, or if that follows from those of others."""
        if is_over(decision, guard):
            self.forecasts.over(subject.name)
            return None
        view = subject.current
        attempt = None if view is None else view.attempt
        shards = () if view is None else tuple([part.attempt for part in view.shards])
        if attempt is not None and not is_created_now(decision, guard):
            account = attempt.account
        elif subject.desired is not None:
            account = subject.desired.account
        else:
            return None  # it is not known where it could be at work
        return self.forecasts.of(JobAhead(subject.name, decision, guard, attempt, size, account, shards))

    def _pricing(
        self, subject: Subject, size: WorkSize, forecast: JobForecast | None, *, bought: bool
    ) -> JobCost | Pricing:
        """The cost of a job, or what computes it."""
        on_demand = self.costing.pricing_of(subject, bought=bought)
        if on_demand is not None:
            return on_demand
        end = None if forecast is None else forecast.median_end
        return self.costing.cost_of(subject, size, bought=bought, end=end)
