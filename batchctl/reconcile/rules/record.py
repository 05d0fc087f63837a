"""The steps that keep the record true. They come before all others, even if a guard refuses the action."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.decision import Counted, Decision
from batchctl.model.reasons import Reason
from batchctl.model.recorded import JobRow
from batchctl.model.steps import RecordJob
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.removed import row_of
from batchctl.reconcile.decide.steps import job_row, job_row_step, seen_steps
from batchctl.reconcile.rules.updates import find_updates
from batchctl.reconcile.view.subject import JobKind, Subject


def record_attempts(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """Write down how this pass saw the attempts. An order for a job that is not in the state writes nothing."""
    steps = seen_steps(subject)
    is_order = subject.kind in {JobKind.CANCEL_COMMAND, JobKind.RETRY_REFUSED}
    if not steps or (is_order and subject.recorded is None):
        return decision
    return replace(decision, base=(*steps, *decision.base))


def record_manifest(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """Record the job as its manifest describes it, and its current attempt."""
    view, recorded = subject.current, None if subject.recorded is None else subject.recorded.row
    row = job_row(subject.manifest, recorded, (decision.current or 1) if view is None else view.key.attempt)
    if view is None and recorded is None:
        # Nothing is written about a job that this pass does not create.
        return decision if decision.current is None else decision.before(*job_row_step(row, None))
    updates = find_updates(recorded, row, None if view is None else view.attempt)
    steps = job_row_step(row, recorded)
    if steps or updates:
        decision = replace(decision, base=(*steps, *decision.base), updates=updates)
    return decision if view is None else _with_current(decision, row)


def _with_current(decision: Decision, row: JobRow) -> Decision:
    """A new attempt, or an old one that is used again, starts free of the orders for the one before."""
    if decision.current is None:
        return decision
    since = row.rows_since if decision.rows_since is None else decision.rows_since
    fresh = replace(row.without_retry(), current=decision.current, cancel_requested=None, rows_since=since)
    steps = list(decision.steps)
    at = next((i for i, step in enumerate(steps) if step.makes_attempt), len(steps))
    steps[at:at] = job_row_step(fresh, row)
    return replace(decision, steps=tuple(steps))


def record_orphan(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """Take an orphan into the record, from which it is then removed like any other job."""
    words = f"orphan: {decision.reason}"
    base = (RecordJob(row_of(subject)), *decision.base)
    return replace(decision, code=Reason.ORPHAN, reason=words, base=base)


def record_retry_order(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """Record the command `batchctl retry`. It counts as a create, and needs consent."""
    order = RecordJob(subject.record.row)
    return replace(decision.before(order), needs_consent=True, counted=Counted.CREATE)
