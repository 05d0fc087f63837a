"""The entry point: from desired, recorded and observed to a plan."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime

from batchctl.model.decision import Guard
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import Inventory
from batchctl.model.observed import Observed, RemoteJob
from batchctl.model.plan import Drift, JobPlan, Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile.cost.retirements import find_retirements
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decisions import Decisions
from batchctl.reconcile.fold import Stage, decide_stack, trace
from batchctl.reconcile.job_plans import plan_jobs
from batchctl.reconcile.options import Options
from batchctl.reconcile.subjects import Reader, read_context
from batchctl.reconcile.view.credentials import new_identities
from batchctl.reconcile.view.drift import describe_unmanaged, find_drift, find_orphans, find_unmanaged, may_have_drifted
from batchctl.reconcile.view.marks import find_marked
from batchctl.reconcile.view.subject import JobKind


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
    decisions = _decisions(reader, orphans)
    unmanaged = find_unmanaged(context.stack, context.observed, _remote_names(context))
    # The views of the other jobs have what is marked as theirs.
    reader = reader.with_marks_of({*orphans, *(reader.marked.keys() - decisions.jobs.keys())})
    jobs, forecast = plan_jobs(decisions, context)
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


def _decisions(reader: Reader, orphans: Sequence[str]) -> Decisions:
    """The decisions about the jobs in scope and these. Apart from the rest of a plan, which needs none of the names."""
    inside = reader.names_in_scope()
    return decide_stack(reader.subjects(inside), inside.union(orphans) if orphans else inside, reader.context)


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
        from batchctl.reconcile.rules.guards import guard_new_state

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


def _is_read_in_full(observed: Observed) -> bool:
    """Whether every account was read, and its list shows other people's jobs too: only then they can be counted."""
    return bool(observed) and all(look.complete and look.lists_foreign for look in observed.values())


def _manifests(decisions: Decisions) -> list[DesiredJob]:
    return [subject.desired for subject, _ in decisions.jobs.values() if subject.desired is not None]
