"""The decision that `batchctl cancel` asks for: stop the job, and never retry what was stopped.

The order is kept in the record: whatever cannot be stopped now is stopped by the pass that can.
"""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.desired import Lifecycle
from batchctl.model.observed import Present
from batchctl.model.plan import Action, RecordJob, Step
from batchctl.model.reasons import Reason
from batchctl.model.recorded import CancelCause, RecordedJob
from batchctl.model.states import ENDED_PHASES, GOOD_STATES, Phase, is_active, is_terminal
from batchctl.reconcile.decide.decision import BY_ORDER, Context, Decision, Subject, rest, stand, stop_steps, wait
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.view.attempts import AttemptView
from batchctl.reconcile.view.phases import WANTED, phase_of


def decide_cancel(subject: Subject, context: Context) -> Decision:
    """Cancel the current attempt as the user orders, and whatever would follow from it; nothing where nothing would."""
    view, recorded = subject.current, subject.recorded
    if view is None:
        return rest(WANTED, Reason.NOT_CREATED, "not created yet: nothing to cancel")
    if recorded is None:
        words = "found by its mark, but not in the state: `batchctl apply` adopts it first"
        return rest(stand(subject), Reason.NOT_RECORDED, words)
    seen = tuple(step for other in subject.views for step in other.steps)
    over = _find_end(subject, recorded, view, context)
    if over is None:
        return replace(_order(subject, recorded, view, context), base=seen)
    if recorded.retry_requested is None:
        return replace(over, base=seen)
    call_off = RecordJob(replace(recorded, retry_requested=None, attempts=()))
    words = "the order of `batchctl retry` is called off"
    return Decision(Action.CANCEL, over.standing, Reason.RETRY_CALLED_OFF, words, (call_off,), base=seen)


def _order(subject: Subject, recorded: RecordedJob, view: AttemptView, context: Context) -> Decision:
    """The order, and the cancel where something works."""
    ordered = replace(recorded, cancel_requested=context.now, retry_requested=None)
    subject = replace(subject, recorded=ordered)
    after = _look_ahead(subject, ordered, view, context)
    cancels: tuple[Step, ...] = ()
    if isinstance(view.presence, Present) and is_active(view.attempt.state or ""):
        after = wait(stand(subject), Reason.CANCEL_ORDERED, BY_ORDER)
        cancels = stop_steps(view, context, CancelCause.USER)
    elif after.action is Action.WAIT:
        after = replace(after, reason=f"{after.reason}; it is cancelled as soon as it can be")
    return Decision(
        Action.CANCEL,
        after.standing,
        Reason.CANCEL_ORDERED,
        after.reason,
        (RecordJob(replace(ordered, attempts=())), *cancels),
        unfinished=after.action is Action.WAIT,
        needs_consent=True,
        ends_protected=not is_terminal(view.attempt.state or ""),
    )


def _find_end(subject: Subject, recorded: RecordedJob, view: AttemptView, context: Context) -> Decision | None:
    """How the job has ended, if nothing could follow without an order; None when something could."""
    found = _look_ahead(subject, recorded, view, context)
    # Not before its results are here it is known whether any row succeeded.
    may_be_retried = recorded.cancel_requested is None and _lifecycle(subject, recorded).backoff_limit > 0
    is_open = found.action is Action.COLLECT and view.attempt.state in GOOD_STATES and may_be_retried
    if is_open or found.phase not in ENDED_PHASES:
        return None
    return rest(found.standing, Reason.HAS_ENDED, f"has ended already: {found.reason}")


def _look_ahead(subject: Subject, recorded: RecordedJob, view: AttemptView, context: Context) -> Decision:
    """What would become of the attempt that counts, whatever the manifests ask for by now."""
    if not view.attempt.is_unsent:
        return follow(subject, _lifecycle(subject, recorded), view, context)
    standing = stand(subject, view)
    phase = phase_of(standing)
    if phase is Phase.REJECTED:
        return rest(standing, Reason.REJECTED, "the API refused it")
    if phase is Phase.CANCELLED:
        return rest(standing, Reason.CANCEL_ORDERED, f"{BY_ORDER} before a create call got through")
    return wait(standing, Reason.NOT_CREATED, "no remote job of it is known so far")


def _lifecycle(subject: Subject, recorded: RecordedJob) -> Lifecycle:
    return recorded.lifecycle if subject.desired is None else subject.desired.lifecycle
