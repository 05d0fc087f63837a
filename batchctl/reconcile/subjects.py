"""The input of the rules: the stack as this pass sees it, and each job in scope with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import Inventory
from batchctl.model.observed import Observed
from batchctl.model.recorded import Recorded
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.options import Options, Scope, names_in_scope
from batchctl.reconcile.view.absence import with_absences_aged
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.attempts import attach, claim, confirm
from batchctl.reconcile.view.collected import check_collected, collected_for
from batchctl.reconcile.view.credentials import without_strangers
from batchctl.reconcile.view.former_names import numbers_used, with_present_names
from batchctl.reconcile.view.marks import Marked
from batchctl.reconcile.view.order import find_needed
from batchctl.reconcile.view.readings import with_latest_readings
from batchctl.reconcile.view.renames import find_moves
from batchctl.reconcile.view.subject import JobKind, Subject


def read_context(
    desired: DesiredStack,
    recorded: Recorded,
    observed: Observed,
    now: datetime,
    options: Options,
    inventory: Inventory | None,
) -> Context:
    """The facts of the whole stack, under the names that its jobs have now, and without outdated readings."""
    moves = find_moves(desired.stack.moved, recorded)
    recorded = moves.recorded
    observed = with_latest_readings(recorded, without_strangers(recorded, observed))
    observed = with_absences_aged(recorded, observed, now, desired.stack.limits.settle_grace)
    observed = with_present_names(desired.stack, recorded, observed)
    collected = collected_for(desired.stack, inventory)
    return Context(desired, recorded, observed, now, options, inventory, collected, moves.clashes)


class Reader(Struct, frozen=True):
    """Puts together what is known of single jobs."""

    context: Context
    marked: Marked

    def subjects(self, inside: AbstractSet[str]) -> Iterator[Subject]:
        """The jobs in scope, what they depend on, and the orphans that are to be removed."""
        options = self.context.options
        yield from (subject for subject in self.read(self._with_needed(inside)) if not _is_released(subject))
        if options.prune_orphans or options.destroy:
            yield from map(self._orphan, self.orphans())

    def with_marks_of(self, names: Iterable[str]) -> Reader:
        """A reader of these jobs alone, which does not keep the remote jobs of all others in memory."""
        return Reader(self.context, {name: self.marked[name] for name in names})

    def names_in_scope(self) -> set[str]:
        """Every job in scope that is desired or recorded."""
        context = self.context
        return names_in_scope(context.options.scope, context.manifests, context.recorded)

    def _with_needed(self, names: AbstractSet[str]) -> AbstractSet[str]:
        """These jobs, and those that they depend on."""
        needs = {name: job.depends_on for name, job in self.context.manifests.items()}
        needed = find_needed(names, needs)
        return names | needed if needed else names

    def read(self, names: AbstractSet[str]) -> Iterator[Subject]:
        """The jobs of these names."""
        context, recorded = self.context, self.context.recorded.jobs
        manifests = context.manifests
        used = numbers_used(context.recorded)
        for name in sorted(names):
            wanted, record = manifests.get(name), recorded.get(name)
            views = attach(record, self.marked.get(name, ()), context.observed, context.now)
            asked = None if context.options.destroy else wanted
            if not self._are_complete(name, views):
                views = self._completed(name, views, wanted, asked)
            yield self._with_kind(Subject(name, asked, record, views, used.get(name, 0)))

    def _are_complete(self, name: str, views: tuple[AttemptView, ...]) -> bool:
        """Whether the record has all of a job's attempts: batchctl made them, and has collected nothing of them."""
        if not views or name in self.context.collected.by_job:
            return False
        return not [view for view in views if view.attempt.adopted or view.attempt.results is not None]

    def _completed(
        self, name: str, views: tuple[AttemptView, ...], wanted: DesiredJob | None, asked: DesiredJob | None
    ) -> tuple[AttemptView, ...]:
        """The attempts of a job with what its manifest and the results folder say about them."""
        from batchctl.reconcile.view.found_results import with_found_results
        from batchctl.reconcile.view.judged_rows import judge_view

        context = self.context
        if wanted is not None:
            confirmed = tuple([confirm(view, wanted) for view in views])
            views = confirmed or claim(wanted, context.stack, context.observed)
        views = tuple([check_collected(view, context.inventory) for view in views])
        views = with_found_results(name, views, asked, context.collected, context.observed)
        return tuple([judge_view(view, asked) for view in views])

    def _with_kind(self, subject: Subject) -> Subject:
        options = self.context.options
        if options.cancel:
            return replace(subject, kind=JobKind.CANCEL_COMMAND)
        if options.retry and subject.name in options.scope.names:
            from batchctl.reconcile.decide.retry_order import why_no_retry  # for that command

            if why_no_retry(subject, self.context) is not None:
                return replace(subject, kind=JobKind.RETRY_REFUSED)
            row = replace(subject.record.row.without_retry(), cancel_requested=None)
            if options.accept_canary:
                row = replace(row, canary_accepted=subject.manifest.digest)
            else:
                row = replace(row, retry_requested=self.context.now, retry_rows=options.retry_rows)
            return replace(subject, recorded=replace(subject.record, row=row), kind=JobKind.RETRY_COMMAND)
        return subject if subject.desired is not None else replace(subject, kind=JobKind.REMOVED)

    def orphans(self) -> list[str]:
        """Names that only marks know. A narrowed scope contains them only by name."""
        options = self.context.options
        unknown = self.marked.keys() - self.context.recorded.jobs.keys()
        if not unknown:
            return []
        manifests = self.context.manifests
        if not options.destroy:
            unknown -= manifests.keys()
        return [name for name in sorted(unknown) if _is_orphan_inside(name, manifests.get(name), options.scope)]

    def _orphan(self, name: str) -> Subject:
        views = attach(None, self.marked[name], self.context.observed, self.context.now)
        return Subject(name, None, None, views, kind=JobKind.ORPHAN)


def _is_orphan_inside(name: str, manifest: DesiredJob | None, scope: Scope) -> bool:
    if manifest is not None:
        return scope.contains(name, manifest.path, manifest.labels)
    return scope.is_whole or (name in scope.names and scope.contains(name, "", {}))


def _is_released(subject: Subject) -> bool:
    """Whether batchctl no longer manages the job's remote jobs."""
    recorded = subject.recorded
    return subject.desired is None and (recorded is None or recorded.row.released_time is not None)
