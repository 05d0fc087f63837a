"""The decision that `batchctl cancel` asks for: stop the job, and never retry what was stopped."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.observed import Present, Unknown
from batchctl.model.plan import Action, RecordJob
from batchctl.model.recorded import CancelCause
from batchctl.model.states import Phase, is_active, is_terminal
from batchctl.reconcile.decision import (
    Context,
    Decision,
    Subject,
    ended_phase,
    phase_on_record,
    rest,
    stop_steps,
    wait,
)


def decide_cancel(subject: Subject, context: Context) -> Decision:
    """Cancel the current attempt, as the user orders; an order for an unfinished job is kept in the record."""
    view, recorded = subject.current, subject.recorded
    if view is None:
        return rest(Phase.WAITING, "not created yet: nothing to cancel")
    if recorded is None:
        return rest(Phase.UNKNOWN, "found by its mark, but not in the state: `batchctl apply` adopts it first")
    seen = tuple(step for other in subject.views for step in other.steps)
    state = view.attempt.state or ""
    if recorded.retry_requested is not None:
        call_off = RecordJob(replace(recorded, retry_requested=None, attempts=()))
        phase = phase_on_record(replace(recorded, retry_requested=None))
        return Decision(Action.CANCEL, phase, "the order of `batchctl retry` is called off", (call_off,), base=seen)
    if is_terminal(state):
        return replace(rest(ended_phase(view.attempt), "has ended already"), base=seen)
    if isinstance(view.presence, Unknown):
        return replace(wait(Phase.UNKNOWN, f"not known in this pass: {view.presence.reason}"), base=seen)
    if not isinstance(view.presence, Present) or not is_active(state):
        return replace(rest(Phase.UNKNOWN, "no remote job that could be cancelled"), base=seen)
    order = RecordJob(replace(recorded, cancel_requested=context.now, attempts=()))
    return Decision(
        Action.CANCEL,
        Phase.REMOVING,
        "cancelled by `batchctl cancel`",
        (order, *stop_steps(view, context, CancelCause.USER)),
        base=seen,
        unfinished=True,
        needs_consent=True,
        ends_protected=True,
    )
