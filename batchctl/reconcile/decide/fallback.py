"""What is done about a job as it is, while nobody agrees to what shall become of it.

Deadlines, collection and time to live need no consent, so they hold whatever is refused. Another attempt is not made:
its work, or the job itself, is not wanted any more.
"""

from __future__ import annotations

from batchctl.model.desired import Lifecycle
from batchctl.model.plan import Action
from batchctl.model.states import Phase
from batchctl.reconcile.decide.decision import Context, Decision, Subject, stand
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.rules.collected_results import guard_last_copy
from batchctl.reconcile.rules.ttl import apply_ttl
from batchctl.reconcile.view.attempts import AttemptView


def go_on(subject: Subject, lifecycle: Lifecycle, context: Context) -> Decision | None:
    """Follow the attempt that counts to its end; None when no remote job of it is known."""
    view = subject.current
    if view is None or view.attempt.is_unsent:
        return None
    decision = follow(subject, lifecycle, view, context)
    if decision.phase is Phase.WAITING:
        decision = _without_retry(decision, subject, view)
    timed = apply_ttl(subject, lifecycle, decision, context)
    return decision if guard_last_copy(subject, timed, context).refusal is not None else timed


def _without_retry(decision: Decision, subject: Subject, view: AttemptView) -> Decision:
    """An attempt that would be followed by another, standing as it ended."""
    steps = tuple(step for step in decision.steps if not step.buys)
    reason = f"{decision.reason}, were it still wanted"
    return Decision(Action.COLLECT if steps else Action.NONE, stand(subject, view), decision.code, reason, steps)
