"""The door of the room: from desired, recorded and observed to a plan."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from batchctl.model.desired import DesiredJob, DesiredStack, Kind
from batchctl.model.kept import Inventory
from batchctl.model.observed import Observed
from batchctl.model.plan import Drift, Guard, Plan
from batchctl.model.reasons import Reason
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.reconcile.admission.queue import admit
from batchctl.reconcile.decide.cancel_order import decide_cancel
from batchctl.reconcile.decide.decision import Context, Decision, Subject
from batchctl.reconcile.decide.desired import decide_wanted
from batchctl.reconcile.decide.removed import decide_removed
from batchctl.reconcile.decide.retry_command import decide_retry
from batchctl.reconcile.options import Options
from batchctl.reconcile.rules.collected_results import check_kept
from batchctl.reconcile.rules.damaged_marks import find_damage, hold_for_damage
from batchctl.reconcile.rules.dependencies import find_needed, hold_for_needs, hold_removals, sort_by_needs
from batchctl.reconcile.rules.guards import distinct_guards, find_guards, guard_new_state, plan_jobs
from batchctl.reconcile.rules.hold import hold_clashes
from batchctl.reconcile.rules.likely_renames import find_renames, hold_renames
from batchctl.reconcile.view.absence import with_absences_aged
from batchctl.reconcile.view.attempts import Marked, attach, claim, confirm, find_marked
from batchctl.reconcile.view.credentials import new_identities, without_strangers
from batchctl.reconcile.view.drift import describe_unmanaged, find_drift, find_orphans, find_unmanaged
from batchctl.reconcile.view.former_names import numbers_used, with_present_names
from batchctl.reconcile.view.found_results import recover
from batchctl.reconcile.view.kept_results import holdings_of
from batchctl.reconcile.view.readings import with_latest_readings
from batchctl.reconcile.view.renames import find_moves


@dataclass(frozen=True)
class _Inputs:
    """The three views and what is asked for."""

    desired: DesiredStack
    recorded: Recorded
    marked: Marked
    context: Context


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
    options = options or Options()
    moves = find_moves(desired.stack.moved, recorded)
    recorded = moves.recorded
    observed = with_latest_readings(recorded, without_strangers(recorded, observed))
    observed = with_absences_aged(recorded, observed, now, desired.stack.limits.settle_grace)
    observed = with_present_names(desired.stack, recorded, observed)
    holdings = holdings_of(desired.stack, inventory)
    context = Context(desired.stack, observed, now, options, inventory, holdings)
    inputs = _Inputs(desired, recorded, find_marked(desired.stack, observed), context)
    decided = _decide_all(inputs)
    drift: list[Drift] = [found for subject, _ in decided.values() for found in find_drift(subject)]
    for name in _orphans(inputs):
        drift.extend(find_orphans(inputs.marked[name]))
        if options.prune_orphans or options.destroy:
            decided[name] = _prune(name, inputs)
    owned = _recorded_names(recorded) | {job.adopt for job in desired.jobs if job.adopt is not None}
    unmanaged = find_unmanaged(desired.stack, observed, owned)
    if options.show_unmanaged:
        drift.extend(describe_unmanaged(job) for job in unmanaged)
    decided = hold_for_damage(decided, find_damage(desired.stack, recorded, observed))
    decided = hold_clashes(decided, moves.clashes)
    wanted = {job.name for job in desired.jobs}
    renames = find_renames(decided, (job for job in recorded.jobs.values() if job.name not in wanted))
    decided = hold_renames(decided, renames, context)
    empty = not any(subject.desired for subject, _ in decided.values())
    guards = find_guards(decided, context, empty=empty, is_new=recorded.is_new)
    # What counts and what has to be agreed to is the same whether or not there is room for it now.
    admission = admit(decided, guards, desired, recorded, observed, now)
    jobs = plan_jobs(admission.decided, {**guards, **admission.guards}, admission.rates)
    countable = bool(observed) and all(look.complete and look.lists_foreign for look in observed.values())
    return Plan(
        desired.stack.name,
        jobs,
        drift=tuple(sorted(drift)),
        unmanaged=len(unmanaged) if countable else None,
        guards=distinct_guards(jobs, _guards_outside(inputs, decided)),
        problems={account: look.problem for account, look in sorted(observed.items()) if not look.complete},
        identities=new_identities(recorded, observed),
        live=admission.live,
        renames=renames,
        clocks={account: look.now for account, look in sorted(observed.items())},
    )


def _decide_all(inputs: _Inputs) -> dict[str, tuple[Subject, Decision]]:
    """The decision about each job in scope that was not let go of.

    What a job depends on is decided first, out of scope too: it counts there all the same.
    """
    context = inputs.context
    inside = _names_in_scope(inputs)
    subjects = {subject.name: subject for subject in _subjects(inputs, inside) if not _is_released(subject)}
    if context.options.cancel:
        return {
            name: (subject, decide_cancel(subject, context)) for name, subject in subjects.items() if name in inside
        }
    needs = {name: () if subject.desired is None else subject.desired.depends_on for name, subject in subjects.items()}
    decided: dict[str, tuple[Subject, Decision]] = {}
    for name in sort_by_needs(needs).names:
        subject = subjects[name]
        decided[name] = (subject, hold_for_needs(subject, _decide(subject, context), decided))
    return hold_removals({name: found for name, found in decided.items() if name in inside}, context.now)


def _guards_outside(inputs: _Inputs, decided: Container[str]) -> Iterator[Guard | None]:
    """What refuses the whole command, though it is about a job out of scope: the state is every job's."""
    if inputs.recorded.is_new:
        names = {job.name for job in inputs.desired.jobs if job.name not in decided}
        for subject in _subjects(inputs, names):
            yield guard_new_state(subject, inputs.context)


def _decide(subject: Subject, context: Context) -> Decision:
    if context.options.retry and subject.name in context.options.scope.names:
        return decide_retry(subject, context)
    if subject.desired is not None:
        return decide_wanted(subject, subject.desired, context)
    assert subject.recorded is not None
    return decide_removed(subject, subject.recorded, context)


def _names_in_scope(inputs: _Inputs) -> set[str]:
    """Every job in scope that is desired or recorded."""
    inside = set()
    owners: dict[str, DesiredJob | RecordedJob] = dict(inputs.recorded.jobs)
    owners |= {job.name: job for job in inputs.desired.jobs}
    for name, owner in owners.items():
        if inputs.context.options.scope.contains(name, owner.path, owner.labels):
            inside.add(name)
    return inside


def _subjects(inputs: _Inputs, inside: set[str]) -> Iterator[Subject]:
    """The jobs in scope, and what they depend on."""
    options, observed, now = inputs.context.options, inputs.context.observed, inputs.context.now
    manifests = {job.name: job for job in inputs.desired.jobs}
    needs = {name: job.depends_on for name, job in manifests.items()}
    used = numbers_used(inputs.recorded)
    for name in sorted(inside | find_needed(inside, needs)):
        wanted, recorded = manifests.get(name), inputs.recorded.jobs.get(name)
        views = attach(recorded, inputs.marked.get(name, {}), observed, now)
        if wanted is not None:
            views = tuple(confirm(view, wanted) for view in views) or claim(wanted, inputs.context.stack, observed)
        views = tuple(check_kept(view, inputs.context.inventory) for view in views)
        asked = None if options.destroy else wanted
        views = recover(name, views, asked, inputs.context.holdings, observed)
        yield Subject(name, asked, recorded, views, used.get(name, 0))


def _is_released(subject: Subject) -> bool:
    """Whether the job was let go of: its remote jobs are nobody's business, for ever."""
    recorded = subject.recorded
    return subject.desired is None and (recorded is None or recorded.released_time is not None)


def _orphans(inputs: _Inputs) -> list[str]:
    """Names that only marks know. A narrowed scope cannot tell whether they lie inside, unless it names them."""
    scope = inputs.context.options.scope
    manifests = {job.name: job for job in inputs.desired.jobs}
    unknown = inputs.marked.keys() - inputs.recorded.jobs.keys()
    if not inputs.context.options.destroy:
        unknown -= manifests.keys()
    inside = []
    for name in sorted(unknown):
        manifest = manifests.get(name)
        if manifest is not None:
            is_inside = scope.contains(name, manifest.path, manifest.labels)
        else:
            is_inside = scope.is_whole or (name in scope.names and scope.contains(name, "", {}))
        if is_inside:
            inside.append(name)
    return inside


def _prune(name: str, inputs: _Inputs) -> tuple[Subject, Decision]:
    """Take an orphan into the record, and remove it from there like any job."""
    context = inputs.context
    views = attach(None, inputs.marked[name], context.observed, context.now)
    account = views[-1].attempt.account
    record = RecordedJob(name, Kind.BATCH_JOB, "", "", "", account, current=views[-1].key.attempt)
    subject = Subject(name, None, None, views)
    decision = decide_removed(subject, record, context)
    return subject, replace(decision, code=Reason.ORPHAN, reason=f"orphan: {decision.reason}")


def _recorded_names(recorded: Recorded) -> frozenset[str]:
    return frozenset(
        attempt.remote for job in recorded.jobs.values() for attempt in job.attempts if attempt.remote is not None
    )
