"""The end of remote jobs whose time to live is over (`ttlAfterFinished`), of earlier attempts as well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.decision import Decision, Timer
from batchctl.model.reasons import Reason
from batchctl.model.states import ENDED_PHASES, GOOD_STATES
from batchctl.model.steps import Collect
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.steps import end_steps
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.endings import is_unplaced
from batchctl.reconcile.view.subject import Subject


def end_after_ttl(subject: Subject, decision: Decision, context: Context) -> Decision:
    """The decision, with the deletes that are due. Collected results stay; what is not collected is collected first.

    The current attempt is left alone as long as another may follow it.
    """
    ttl = subject.lifecycle.ttl_after_finished
    if ttl is None or not decision.action.is_harmless:
        return decision
    is_over = decision.phase in ENDED_PHASES
    ends = [(view, end) for view, end in _find_ends(subject, ttl) if is_over or not subject.is_current(view)]
    discard = context.options.discard_results
    over = [view for view, end in ends if end <= context.clock_of(view.attempt.account)]
    due = [view for view in over if discard or not _may_be_unplaced(view)]
    if not due:
        later = min((end for _, end in ends), default=None)
        is_free = is_over and decision.next_time is None and later is not None
        return replace(decision, next_time=later, timer=Timer.TTL) if is_free else decision
    steps = [step for view in due for step in end_steps(view, discard_results=discard) if step not in decision.steps]
    keys = {view.key for view in due}
    # A collect that fails would keep the delete back, and that is what the order lifts.
    kept = [step for step in decision.steps if not (discard and isinstance(step, Collect) and step.key in keys)]
    words = "ttlAfterFinished is over"
    if any(not subject.is_current(view) for view in due):
        words += f" for attempt {', '.join(str(view.key.attempt) for view in due)}"
    return replace(
        decision,
        action=Action.DELETE,
        code=Reason.TTL_AFTER_FINISHED,
        reason=f"{decision.reason}; {words}",
        steps=(*kept, *steps),
    )


def _may_be_unplaced(view: AttemptView) -> bool:
    """Whether only the collection will show that its results belong to its rows: until then it is not deleted."""
    return view.attempt.is_uncollected and view.attempt.state in GOOD_STATES


def _find_ends(subject: Subject, ttl: timedelta) -> Iterator[tuple[AttemptView, datetime]]:
    """The attempts whose remote jobs have ended and are there, with the end of their time to live."""
    for view in subject.views:
        # A record that was made without the API's word has no end; the next look brings it.
        end, has_ended = view.attempt.end_time, view.attempt.has_ended
        # What could not be matched may be read in another way as long as the remote job is there.
        is_due = has_ended and not is_unplaced(view.attempt)
        if is_due and end is not None and view.is_present:
            yield view, end + ttl
