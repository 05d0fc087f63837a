"""An attempt, or a shard of one, that was not sent yet: its create call is made, or made again."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision, Timer
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import create, create_agreed, wait
from batchctl.reconcile.decide.unanswered import settle, was_sent
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject, current_phase


def go_on_unsent(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """Go on with the same work: send it again, or wait for the mark of a call without a recorded outcome."""
    if view.attempt.intent is None:
        return send_again(subject, view, context)
    return settle(current_phase(subject, view), view, context) or send_lost_call(subject, view, context)


def send_lost_call(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The mark of a call without a recorded outcome did not appear: send the call."""
    lost, sent = ("was lost", "sent again") if was_sent(view.attempt) else ("was lost or never sent", "sent")
    words = f"the create call {lost}: its mark did not appear in the grace period; {sent} with the same token"
    suspended = context.is_suspended(subject)
    return create_agreed(view.key, Reason.CALL_LOST, words, view.attempt.token, is_suspended=suspended)


def send_again(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The create call surely made nothing: send it again, after the pause that its refusals ask for."""
    attempt, trouble = view.attempt, view.attempt.trouble
    if trouble is None:
        code, reason = Reason.NOT_SENT, "the create call did not get through; nothing was sent"
    else:
        code = Reason.NOT_SENT if trouble.until is None else Reason.REFUSED_FOR_NOW
        reason = f"nothing was sent yet: {trouble.words}"
    decision = create(view.key, code, reason, attempt.token, is_suspended=context.is_suspended(subject))
    due = trouble.next_time if trouble is not None else None
    if due is not None and decision.action is Action.CREATE and context.clock_of(attempt.account) < due:
        return wait(Phase.WAITING, code, reason, due, Timer.BACKOFF)
    # A person agreed to the same work when it was first tried.
    return replace(decision, needs_consent=False)
