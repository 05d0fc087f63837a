"""The entry point: from desired, recorded and observed to a plan."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from batchctl.model.cost.job_cost import JobCost, Pricing
from batchctl.model.decision import Decision, Guard
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.forecast import JobForecast, StackForecast
from batchctl.model.inventory import Inventory
from batchctl.model.observed import Observed, RemoteJob
from batchctl.model.plan import Drift, JobPlan, Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded
from batchctl.reconcile.admission.sizes import is_bought, planned_size
from batchctl.reconcile.admission.tokens import TokenRates, learn_rates
from batchctl.reconcile.cost.estimates import Costing, costing_of
from batchctl.reconcile.cost.retirements import find_retirements
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.fold import Stage, decide_stack, trace
from batchctl.reconcile.forecast.attempts import Comparison
from batchctl.reconcile.forecast.jobs import Basis, JobAhead, forecast_jobs, forecast_stack, is_created_now, is_over
from batchctl.reconcile.forecast.learn import learn_history
from batchctl.reconcile.options import Options
from batchctl.reconcile.rules.guards import guard_new_state
from batchctl.reconcile.subjects import Reader, read_context
from batchctl.reconcile.view.credentials import new_identities
from batchctl.reconcile.view.drift import describe_unmanaged, find_drift, find_orphans, find_unmanaged, may_have_drifted
from batchctl.reconcile.view.marks import find_marked
from batchctl.reconcile.view.subject import JobKind, Subject
from batchctl.reconcile.view.terms import find_terms


def plan(
    desired: DesiredStack,
    recorded: Recorded,
    observed: Observed,
    now: datetime,
    options: Options | None = None,
    inventory: Inventory | None = None,
) -> Plan:
    """Decide what shall be done. The same input gives the same plan, in whatever order its parts come.

    `now` is the local clock; ages and deadlines run on the provider's, which each observation carries. Without an
    `inventory` of the results folder the record is believed about what was collected.
    """
    context = read_context(desired, recorded, observed, now, options or Options(), inventory)
    reader = Reader(context, find_marked(context.stack, context.observed))
    orphans = reader.orphans()
    inside = reader.names_in_scope()
    decisions = decide_stack(reader.subjects(inside), inside.union(orphans), context)
    unmanaged = find_unmanaged(context.stack, context.observed, _remote_names(context))
    # The views of the other jobs have what is marked as theirs.
    reader = reader.with_marks_of({*orphans, *(reader.marked.keys() - decisions.jobs.keys())})
    jobs, forecast = _job_plans(decisions, context)
    return Plan(
        context.stack.name,
        jobs,
        drift=tuple(sorted(_drift(decisions, reader, orphans, unmanaged))),
        unmanaged=len(unmanaged) if _is_read_in_full(context.observed) else None,
        guards=_distinct_guards(jobs, _guards_outside(reader, decisions.jobs)),
        problems={account: look.problem for account, look in sorted(context.observed.items()) if not look.complete},
        results_problem=_results_problem(jobs, context),
        identities=new_identities(context.recorded, context.observed),
        live=decisions.live,
        budget=decisions.budget,
        retirements=find_retirements(_manifests(decisions), context.recorded, context.stack.prices, context.now),
        renames=decisions.renames,
        clocks={account: look.now for account, look in sorted(context.observed.items())},
        uid=context.stack.uid,
        lineage="" if context.recorded.is_new else context.recorded.lineage,
        forecast=forecast,
    )


def trace_job(
    name: str,
    desired: DesiredStack,
    recorded: Recorded,
    observed: Observed,
    now: datetime,
    options: Options,
    inventory: Inventory | None = None,
) -> tuple[Stage, ...]:
    """How `plan` comes to its decision about a job that is in the plan, rule by rule."""
    context = read_context(desired, recorded, observed, now, options, inventory)
    reader = Reader(context, find_marked(context.stack, context.observed))
    inside = reader.names_in_scope()
    return trace(reader.subjects(inside), inside.union(reader.orphans()), context, name)


def _drift(
    decisions: Decisions, reader: Reader, orphans: list[str], unmanaged: tuple[RemoteJob, ...]
) -> Iterator[Drift]:
    for subject, _ in decisions.jobs.values():
        if subject.kind is not JobKind.ORPHAN and may_have_drifted(subject):
            yield from find_drift(subject)
    for name in orphans:
        yield from find_orphans(name, reader.marked[name])
    if reader.context.options.show_unmanaged:
        yield from map(describe_unmanaged, unmanaged)


def _guards_outside(reader: Reader, decided: Container[str]) -> Iterator[Guard | None]:
    """Guards that refuse the complete command because of jobs out of scope: all jobs share the state."""
    if reader.context.recorded.is_new:
        names = {name for name in reader.context.manifests if name not in decided}
        for subject in reader.read(names):
            yield guard_new_state(subject, reader.context)


def _results_problem(jobs: Iterable[JobPlan], context: Context) -> str | None:
    problem = None if context.inventory is None else context.inventory.problem
    return problem if any(job.unseen for job in jobs) else None


def _distinct_guards(jobs: tuple[JobPlan, ...], outside: Iterator[Guard | None]) -> tuple[Guard, ...]:
    """The guards that were met, each once, in the order of the jobs; then those that jobs out of scope met."""
    met = (*(job.guard for job in jobs), *outside)
    return tuple(dict.fromkeys(guard for guard in met if guard is not None))


def _remote_names(context: Context) -> set[str]:
    """The remote jobs that are recorded, or named by `spec.adopt`: they are not unmanaged."""
    adopted = {job.adopt for job in context.desired.jobs if job.adopt is not None}
    return adopted.union(*(own.attempts for own in context.recorded.remotes.values()))


_NO_COST = JobCost()
"""Until the forecast of the job is known."""
_NAMES_ROWS = frozenset({Reason.WORK_CHANGED, Reason.ROWS_ANSWERED})
"""Reasons whose words say which rows are sent, where the ledger knows it."""


def _is_read_in_full(observed: Observed) -> bool:
    """Whether every account was read, and its list shows other people's jobs too: only then they can be counted."""
    return bool(observed) and all(look.complete and look.lists_foreign for look in observed.values())


def _job_plans(decisions: Decisions, context: Context) -> tuple[tuple[JobPlan, ...], StackForecast | None]:
    """The plans of all jobs, and the forecast of the stack."""
    rates = context.learn(learn_rates)
    jobs = [
        _job_plan(*decisions.jobs[name], decisions.guards.get(name), rates, context) for name in sorted(decisions.jobs)
    ]
    found, forecast = _forecasts(jobs, decisions, context)
    costing = costing_of(context)
    for place, job in enumerate(jobs):
        ahead = found.get(job.job)
        pricing = _pricing(job, ahead, decisions.jobs[job.job][0], costing)
        jobs[place] = replace(job, forecast=ahead, pricing=pricing)  # in its place: there may be a hundred thousand
    return tuple(jobs), forecast


def _manifests(decisions: Decisions) -> list[DesiredJob]:
    return [subject.desired for subject, _ in decisions.jobs.values() if subject.desired is not None]


def _pricing(job: JobPlan, ahead: JobForecast | None, subject: Subject, costing: Costing) -> JobCost | Pricing:
    """The cost of a job, or what computes it."""
    on_demand = costing.pricing_of(subject, bought=job.buys)
    if on_demand is not None:
        return on_demand
    end = None if ahead is None or ahead.end is None else ahead.end.p50
    return costing.cost_of(subject, job.size, bought=job.buys, end=end)


def _forecasts(
    jobs: Sequence[JobPlan], decisions: Decisions, context: Context
) -> tuple[Mapping[str, JobForecast], StackForecast | None]:
    """The forecasts of the jobs that have not ended, and that of the stack."""
    over = {job.job for job in jobs if is_over(job)}
    if len(over) == len(jobs):
        return {}, None
    clocks = {account: look.now for account, look in context.observed.items()}
    basis = Basis(Comparison(context.learn(learn_history)), clocks, context.now, context.stack.limits.stuck_factor)
    ahead = (_ahead(job, decisions.jobs[job.job][0]) for job in jobs if job.job not in over)
    found = forecast_jobs((one for one in ahead if one is not None), over, basis)
    return found, forecast_stack(found)


def _ahead(job: JobPlan, subject: Subject) -> JobAhead | None:
    """A job for its forecast; None if no account is known where it could be at work."""
    view, attempt = subject.current, job.attempt
    shards = () if view is None else tuple([part.attempt for part in view.shards])
    if attempt is not None and not is_created_now(job):
        return JobAhead(job, attempt.account, shards)
    return None if subject.desired is None else JobAhead(job, subject.desired.account, shards)


def _job_plan(
    subject: Subject, decision: Decision, guard: Guard | None, rates: TokenRates, context: Context
) -> JobPlan:
    view, bought, work = subject.current, is_bought(decision), context.rows_of(subject)
    size = planned_size(subject, decision, work, rates)
    chain = None if subject.desired is None else subject.desired.chain_rows
    terms = find_terms(subject, decision, guard, context.options)
    if work is not None and work.to_send < work.total and decision.code in _NAMES_ROWS:
        from batchctl.reconcile.view.changes import without_beyond

        decision = replace(decision, changes=without_beyond(decision.changes))
    current = view.attempt if view else None
    path, expansion = ("", None) if subject.desired is None else (subject.desired.path, subject.desired.expansion)
    facts = (size, bought, chain, work, terms, subject.labels, path, expansion, _NO_COST)
    return JobPlan(subject.name, decision, guard, current, *facts)
