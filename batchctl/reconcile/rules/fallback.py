"""The plan for a job as it is, in case a guard refuses its replacement or removal.

Deadlines, collection and `ttlAfterFinished` need no consent, so they apply whatever is refused. No further attempt is
made: its work, or the job itself, is not wanted any more.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision
from batchctl.model.states import Phase
from batchctl.reconcile.decide.changed import ON_CHANGE_FAIL
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.rules.collected import guard_last_copy
from batchctl.reconcile.rules.ttl import end_after_ttl
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import JobKind, Subject, current_phase


def prepare_for_refusal(subject: Subject, decision: Decision, context: Context) -> Decision:
    """The decision, with what the job as it is needs if the decision is refused."""
    if subject.kind is JobKind.REMOVED:
        is_needed = not subject.is_removal_agreed
    else:
        # Nothing ends a job that another manifest made, whatever this manifest's policy says.
        is_own = decision.refusal is None or decision.refusal.code == ON_CHANGE_FAIL
        is_needed = decision.action is Action.REPLACE and is_own
    return replace(decision, if_refused=_go_on(subject, context)) if is_needed else decision


def _go_on(subject: Subject, context: Context) -> Decision | None:
    """Follow the current attempt to its end; None if no remote job of it is known."""
    view = subject.current
    if view is None or view.attempt.is_unsent:
        return None
    decision = follow(subject, view, context)
    if decision.phase is Phase.WAITING:
        decision = _without_retry(decision, subject, view)
    timed = end_after_ttl(subject, decision, context)
    return decision if guard_last_copy(subject, timed, context).refusal is not None else timed


def _without_retry(decision: Decision, subject: Subject, view: AttemptView) -> Decision:
    """An attempt that would be followed by another, in the phase in which it ended."""
    steps = tuple(step for step in decision.steps if not step.buys)
    reason = f"{decision.reason}, if it were still wanted"
    action = Action.COLLECT if steps else Action.NONE
    return Decision(action, current_phase(subject, view), decision.code, reason, steps)
