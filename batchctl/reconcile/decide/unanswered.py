"""An intent whose create call has no recorded outcome (design section 6).

Either the call got no clear answer, or the process ended before one was recorded; then it is not known whether the call
was sent. batchctl searches for its token, and never sends the call again blindly. The grace has to pass on two clocks,
the local one and the provider's, so that a jump of either ends it no sooner.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.attempts import Operation, RecordedAttempt, Trouble
from batchctl.model.decision import Decision, Timer
from batchctl.model.errors import Effect
from batchctl.model.observed import Moment, Unknown
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.model.steps import Note, RecordAttempt
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import wait
from batchctl.reconcile.view.absence import passed
from batchctl.reconcile.view.attempt_view import AttemptView


def settle(phase: Phase, view: AttemptView, context: Context) -> Decision | None:
    """The wait that an open intent without a remote job needs; None when its grace is over and the token not found."""
    waiting = _settle(phase, view, context)
    trouble = _lost_answer(view.attempt)
    if waiting is None or trouble is None:
        return waiting
    return replace(waiting, reason=f"{waiting.reason}; {trouble.words}")


def was_sent(attempt: RecordedAttempt) -> bool:
    """Whether the create call of an open intent was certainly sent. If not, the process may have ended before it."""
    return _lost_answer(attempt) is not None


def abandon(attempt: RecordedAttempt, context: Context) -> RecordAttempt:
    """An attempt that is not sent any more; should its remote job turn up after all, it belongs to it."""
    return RecordAttempt(replace(attempt, intent=None, gone_time=context.now), Note.ABANDONED)


def _lost_answer(attempt: RecordedAttempt) -> Trouble | None:
    """The failure of a create call that may have made a job; one of an earlier call that surely made none is not it."""
    trouble = attempt.trouble
    is_lost = trouble is not None and trouble.operation is Operation.CREATE and trouble.effect is Effect.AMBIGUOUS
    return trouble if is_lost else None


def _settle(phase: Phase, view: AttemptView, context: Context) -> Decision | None:
    intent = view.attempt.intent
    assert intent is not None
    state = "the create call got no clear answer"
    if not was_sent(view.attempt):
        state = "it is not known whether the create call was sent"
    if isinstance(view.presence, Unknown):
        words = f"{state}, and the list is incomplete: {view.presence.reason}"
        return wait(phase, Reason.SETTLING, words)
    grace, there = context.stack.limits.settle_grace, context.observed[view.attempt.account].begun
    since = None
    if intent.first_look is not None and intent.first_look_there is not None:
        # An older state knew the local clock's time alone: what passed since then is not known.
        since = Moment(intent.first_look, intent.first_look_there)
    age = passed(since, Moment(context.now, there), grace)
    if age is None:
        looked = replace(intent, first_look=context.now, first_look_there=there)
        words = f"{state}; looking for its mark"
        return wait(phase, Reason.SETTLING, words, context.now + grace, Timer.SETTLING).before(
            RecordAttempt(replace(view.attempt, intent=looked), Note.LOOKED)
        )
    if age < grace:
        words = f"{state}; its mark is not in the list yet"
        return wait(phase, Reason.SETTLING, words, context.now + (grace - age), Timer.SETTLING)
    return None
