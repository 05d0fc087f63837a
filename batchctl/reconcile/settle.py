"""What becomes of an intent whose create call nobody answered (design section 6).

It is settled by looking for its token, never by sending again blindly.
"""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.observed import Unknown
from batchctl.model.plan import Note, RecordAttempt, Timer
from batchctl.model.states import Phase
from batchctl.reconcile.attach import AttemptView
from batchctl.reconcile.decision import Context, Decision, wait


def settle(view: AttemptView, context: Context) -> Decision | None:
    """The wait that an open intent without a remote job needs; None when its grace is over and the token not found."""
    intent = view.attempt.intent
    assert intent is not None
    if isinstance(view.presence, Unknown):
        return wait(
            Phase.SETTLING, f"the create call got no answer, and the list is incomplete: {view.presence.reason}"
        )
    grace = context.stack.limits.settle_grace
    if intent.first_look is None:
        looked = replace(view.attempt, intent=replace(intent, first_look=context.now))
        words = "the create call got no answer; looking for its mark"
        return wait(Phase.SETTLING, words, context.now + grace, Timer.SETTLING).before(
            RecordAttempt(looked, Note.LOOKED)
        )
    end = intent.first_look + grace
    if context.now < end:
        return wait(
            Phase.SETTLING, "the create call got no answer; its mark is not in the list so far", end, Timer.SETTLING
        )
    return None
