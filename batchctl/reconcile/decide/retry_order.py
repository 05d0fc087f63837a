"""A new attempt by a person's order (`batchctl retry`), whatever the policy says of retries.

The order is written down, so that it outlasts a full queue, a suspension and a look that could not be finished.
"""

from __future__ import annotations

from batchctl.model.desired import DesiredJob
from batchctl.model.keys import same_digest
from batchctl.model.observed import Present
from batchctl.model.plan import Action, Create, Step
from batchctl.model.reasons import Reason
from batchctl.model.states import is_terminal
from batchctl.reconcile.decide.decision import Context, Decision, Subject, collect_steps, is_held, wait, wait_for_look
from batchctl.reconcile.decide.unseen import find_unseen
from batchctl.reconcile.view.attempts import AttemptView
from batchctl.reconcile.view.endings import has_succeeded
from batchctl.reconcile.view.phases import WANTED

NOT_SETTLED = "its create call is not settled yet: `batchctl apply` goes on with it"


def follow_order(subject: Subject, desired: DesiredJob, view: AttemptView, context: Context) -> Decision | None:
    """The new attempt that was ordered; None where nothing was, or it cannot be made now."""
    recorded = subject.recorded
    if recorded is None or recorded.retry_requested is None:
        return None
    why_not = why_not_again(view, desired)
    if why_not is not None:
        is_hidden = find_unseen(view) is not None and is_terminal(view.attempt.state or "")
        return wait_for_look(WANTED, Reason.UNSEEN, f"`batchctl retry` waits: {why_not}") if is_hidden else None
    if is_held(desired.lifecycle, context):
        return wait(WANTED, Reason.SUSPENDED, "suspended, or `batchctl retry` would be followed")
    key, words = subject.next_key, "tried again by `batchctl retry`"
    steps: tuple[Step, ...] = (*collect_steps(view), Create(key))
    return Decision(Action.RETRY, WANTED, Reason.RETRY_ORDERED, words, steps, current=key.attempt)


def why_not_again(view: AttemptView, desired: DesiredJob) -> str | None:
    """Why no new attempt can follow by order, with the way out; None when one can."""
    attempt = view.attempt
    if not same_digest(attempt.digest, desired.digest):
        return "its manifest has changed: `batchctl apply` follows the change"
    if attempt.rejected:
        return None
    if attempt.intent is not None:
        return NOT_SETTLED
    unseen = find_unseen(view)
    if unseen is not None:
        return f"it cannot be seen now: {unseen.reason}"
    if isinstance(view.presence, Present) and not is_terminal(attempt.state or ""):
        return "it has not ended: `batchctl cancel` stops it"
    lost = not view.has_results and (attempt.results_lost or not isinstance(view.presence, Present))
    if has_succeeded(attempt) and not lost and not attempt.is_reused:
        return "it has succeeded: change spec.runId to run it again, or `batchctl apply --rerun` it"
    return None
