"""Second remote jobs for one attempt are cancelled, whatever else is decided."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause
from batchctl.model.decision import Decision
from batchctl.model.observed import RemoteJob
from batchctl.model.reasons import Reason
from batchctl.model.steps import Cancel
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.attempt_view import AttemptView, can_be_cancelled
from batchctl.reconcile.view.subject import Subject


def cancel_duplicates(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """Cancel every second remote job of an attempt and, beside a desired job's current attempt, older ones too."""
    planned = {step.remote for step in decision.steps if isinstance(step, Cancel)}
    cancels = tuple(cancel for cancel in _cancels(subject) if cancel.remote not in planned)
    if not cancels:
        return decision
    cleaned = replace(decision, base=(*cancels, *decision.base))
    if decision.action.is_quiet:
        names = ", ".join(cancel.remote for cancel in cancels)
        words = f"more than one remote job is active; cancelling {names}"
        return replace(cleaned, action=Action.CANCEL, code=Reason.DUPLICATE, reason=words)
    return cleaned


def _cancels(subject: Subject) -> Iterator[Cancel]:
    for view in subject.views:
        yield from (_cancel(view, job) for job in view.living_duplicates)
        # A removed job's attempts all end by its removal; a desired job has one that counts.
        is_older = subject.desired is not None and not subject.is_current(view)
        if is_older and view.shown is not None and can_be_cancelled(view.shown):
            yield _cancel(view, view.shown)


def _cancel(view: AttemptView, job: RemoteJob) -> Cancel:
    return Cancel(view.key, job.account, job.name, CancelCause.DUPLICATE)
