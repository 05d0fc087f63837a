"""The cure of second remote jobs: what lives beside the one that counts is cancelled, whatever else is decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batchctl.model.observed import Present, RemoteJob
from batchctl.model.plan import Action, Cancel
from batchctl.model.reasons import Reason
from batchctl.model.recorded import CancelCause
from batchctl.model.states import JobState, is_active
from batchctl.reconcile.decide.decision import Decision, Subject
from batchctl.reconcile.view.attempts import AttemptView


def has_living_duplicate(views: tuple[AttemptView, ...]) -> bool:
    """Whether a second remote job for one of these attempts still works."""
    return any(True for view in views for _ in _duplicates(view))


def heal(subject: Subject, decision: Decision) -> Decision:
    """Cancel every second remote job of an attempt and, beside a desired job's current attempt, older ones too."""
    planned = {step.remote for step in decision.steps if isinstance(step, Cancel)}
    cancels = tuple(cancel for cancel in _cancels(subject) if cancel.remote not in planned)
    if not cancels:
        return decision
    healed = replace(decision, base=cancels)
    if decision.action.is_quiet:
        names = ", ".join(cancel.remote for cancel in cancels)
        words = f"more than one remote job lives; cancelling {names}"
        return replace(healed, action=Action.CANCEL, code=Reason.DUPLICATE, reason=words)
    return healed


def _cancels(subject: Subject) -> Iterator[Cancel]:
    for view in subject.views:
        yield from _duplicates(view)
        # A removed job's attempts all end by its removal; a desired job has one that counts.
        older = subject.desired is not None and view is not subject.current
        if older and isinstance(view.presence, Present) and _works(view.presence.job):
            job = view.presence.job
            yield Cancel(view.key, job.account, job.name, CancelCause.DUPLICATE)


def _duplicates(view: AttemptView) -> Iterator[Cancel]:
    for job in view.duplicates:
        if _works(job):
            yield Cancel(view.key, job.account, job.name, CancelCause.DUPLICATE)


def _works(job: RemoteJob) -> bool:
    """Whether a cancel is of use: what is cancelling already needs no second one."""
    return is_active(job.state) and job.state != JobState.CANCELLING
