"""The decision that `batchctl cancel` asks for: stop the job, and never retry what was stopped.

The record keeps the order. A job that cannot be stopped now is stopped by a later pass.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause
from batchctl.model.decision import Decision
from batchctl.model.reasons import Reason
from batchctl.model.states import ENDED_PHASES, GOOD_STATES, Phase
from batchctl.model.steps import RecordJob, Step
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import BY_ORDER, rest, wait
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.decide.steps import stop_steps
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject, current_phase


def decide_cancel(subject: Subject, context: Context) -> Decision:
    """Cancel the current attempt, and everything that would follow it."""
    view, recorded = subject.current, subject.recorded
    if view is None:
        return rest(Phase.WAITING, Reason.NOT_CREATED, "not created yet: nothing to cancel")
    if recorded is None:
        words = "found by its mark, but not in the state: `batchctl apply` adopts it first"
        return rest(current_phase(subject), Reason.NOT_RECORDED, words)
    over = _find_end(subject, view, context)
    if over is None:
        return _order(subject, view, context)
    if recorded.row.retry_requested is None:
        return over
    call_off = RecordJob(recorded.row.without_retry())
    words = "the order of `batchctl retry` is called off"
    return Decision(Action.CANCEL, over.phase, Reason.RETRY_CALLED_OFF, words, (call_off,))


def _order(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The recorded command, and the cancel of an active remote job."""
    ordered = replace(subject.record.row.without_retry(), cancel_requested=context.now)
    subject = replace(subject, recorded=replace(subject.record, row=ordered))
    after = _look_ahead(subject, view, context)
    cancels: tuple[Step, ...] = ()
    if view.is_working:
        after = wait(current_phase(subject), Reason.CANCEL_ORDERED, BY_ORDER)
        cancels = stop_steps(view, context, CancelCause.USER)
    elif after.action is Action.WAIT:
        after = replace(after, reason=f"{after.reason}; it is cancelled as soon as possible")
    return Decision(
        Action.CANCEL,
        after.phase,
        Reason.CANCEL_ORDERED,
        after.reason,
        (RecordJob(ordered), *cancels),
        unfinished=after.action is Action.WAIT,
        needs_consent=True,
        ends_protected=not view.attempt.has_ended,
    )


def _find_end(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """The end of the job, if nothing could follow without an order; None when something could."""
    found = _look_ahead(subject, view, context)
    # Before its results are here it is not known whether any row succeeded.
    may_be_retried = not subject.is_cancel_requested and subject.lifecycle.backoff_limit > 0
    is_open = found.action is Action.COLLECT and view.attempt.state in GOOD_STATES and may_be_retried
    if is_open or found.phase not in ENDED_PHASES:
        return None
    return rest(found.phase, Reason.HAS_ENDED, f"has ended already: {found.reason}")


def _look_ahead(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The decision about the current attempt, whatever the manifests ask for now."""
    if not view.attempt.is_unsent:
        return follow(subject, view, context)
    phase = current_phase(subject, view)
    if phase is Phase.REJECTED:
        return rest(phase, Reason.REJECTED, "the API refused it")
    if phase is Phase.CANCELLED:
        return rest(phase, Reason.CANCEL_ORDERED, f"{BY_ORDER} before a create call got through")
    return wait(phase, Reason.NOT_CREATED, "no remote job is known yet")
