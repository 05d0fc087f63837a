"""The decision about a recorded job that no manifest asks for any more (`onRemove`)."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.desired import OnRemove
from batchctl.model.observed import Present
from batchctl.model.plan import Action, Forget, RecordJob, Step
from batchctl.model.reasons import Reason
from batchctl.model.recorded import CancelCause, RecordedJob
from batchctl.model.states import is_active, is_terminal
from batchctl.reconcile.decide.decision import (
    Context,
    Counted,
    Decision,
    Subject,
    collect_steps,
    end_steps,
    job_row_step,
    stand,
    stop_steps,
    wait,
)
from batchctl.reconcile.decide.fallback import go_on
from batchctl.reconcile.decide.unanswered import settle
from batchctl.reconcile.decide.unseen import find_unseen, wait_to_see
from batchctl.reconcile.rules.collected_results import guard_last_copy
from batchctl.reconcile.rules.duplicates import has_living_duplicate, heal
from batchctl.reconcile.rules.incomplete import hold_back
from batchctl.reconcile.view.attempts import AttemptView
from batchctl.reconcile.view.phases import Standing


def decide_removed(subject: Subject, recorded: RecordedJob, context: Context) -> Decision:
    """What to do about a job that is recorded, not released, and not desired."""
    decision = _decide(subject, recorded, context)
    if recorded.removing_time is None and subject.recorded is not None:
        decision = replace(decision, meanwhile=go_on(subject, recorded.lifecycle, context))
    decision = hold_back(subject, heal(subject, guard_last_copy(subject, decision, context)), context)
    seen = tuple(step for view in subject.views for step in view.steps)
    return replace(decision, base=(*job_row_step(recorded, subject.recorded), *seen, *decision.base))


def _decide(subject: Subject, recorded: RecordedJob, context: Context) -> Decision:
    for view in subject.views:
        if view.attempt.intent is not None:
            waiting = settle(stand(subject, view), view, context)
            if waiting is not None:
                return waiting
    remote = [view for view in subject.views if view.attempt.remote is not None]
    present = [view for view in remote if isinstance(view.presence, Present)]
    unseen = next((why for view in remote if (why := find_unseen(view)) is not None), None)
    doubled = has_living_duplicate(subject.views)
    if not present and unseen is None and not doubled:
        words = f"{_words(context)}, and nothing of it is left"
        after = replace(_stand(subject), is_removing=True)
        return Decision(Action.FORGET, after, Reason.NOTHING_LEFT, words, (Forget(subject.name),))
    if recorded.lifecycle.on_remove is OnRemove.KEEP:
        return _release(subject, recorded, context, "the remote job is kept (onRemove: keep)")
    if unseen is not None:
        return wait_to_see(stand(subject), unseen, _words(context))
    for view in present:
        state = view.attempt.state or ""
        if not is_active(state) and not is_terminal(state):
            words = f"{_words(context)}, but the API says {state}: what that leads to is not known"
            return wait(stand(subject), Reason.STATE_UNKNOWN, words)
    active = [view for view in present if is_active(view.attempt.state or "")]
    if active or doubled:
        return _stop(subject, active, recorded, context)
    return _end(subject, present, recorded, context)


def _words(context: Context) -> str:
    """Why it is to go."""
    return "destroy was asked for" if context.options.destroy else "no longer in a manifest"


def _code(context: Context) -> Reason:
    return Reason.DESTROY_ORDERED if context.options.destroy else Reason.REMOVED


def _stand(subject: Subject) -> Standing:
    """How the job stands where no create call is left to settle."""
    standing = stand(subject)
    attempt = standing.attempt
    return standing if attempt is None else replace(standing, attempt=replace(attempt, intent=None))


def _stop(subject: Subject, active: list[AttemptView], recorded: RecordedJob, context: Context) -> Decision:
    """Cancel what still works; the rest follows when it has ended."""
    keeps = recorded.lifecycle.on_remove is OnRemove.CANCEL
    # Whoever let it begin has let it end: neither the number nor the leave is asked for again half-way.
    is_agreed = recorded.removing_time is not None
    cancels = (step for view in active for step in stop_steps(view, context, CancelCause.REMOVE))
    begin: tuple[Step, ...] = ()
    if not is_agreed:
        begin = (RecordJob(replace(recorded, removing_time=context.now, attempts=())),)
    return Decision(
        Action.CANCEL if keeps else Action.DELETE,
        _stand(subject),
        _code(context),
        f"{_words(context)}; {'to be cancelled first' if begin else 'cancelling'}",
        (*begin, *cancels),
        unfinished=True,
        counted=None if is_agreed else Counted.DELETE,
        needs_consent=not is_agreed,
        ends_protected=not is_agreed,
    )


def _end(subject: Subject, present: list[AttemptView], recorded: RecordedJob, context: Context) -> Decision:
    """All has ended: collect, then delete or let go."""
    if recorded.lifecycle.on_remove is OnRemove.CANCEL:
        collects = tuple(step for view in present for step in collect_steps(view))
        return _release(subject, recorded, context, "ended and kept (onRemove: cancel)").before(*collects)
    discard = context.options.discard_results
    is_agreed = recorded.removing_time is not None
    ends = (step for view in present for step in end_steps(view, discard_results=discard))
    return Decision(
        Action.DELETE,
        _stand(subject),
        _code(context),
        _words(context),
        (*ends, Forget(subject.name)),
        counted=None if is_agreed else Counted.DELETE,
        needs_consent=not is_agreed,
        ends_protected=not is_agreed,
    )


def _release(subject: Subject, recorded: RecordedJob, context: Context, words: str) -> Decision:
    step = RecordJob(replace(recorded, released_time=context.now, attempts=()))
    return Decision(
        Action.FORGET,
        _stand(subject),
        Reason.KEPT,
        f"{_words(context)}; {words}",
        (step,),
        needs_consent=recorded.removing_time is None,
        ends_protected=True,
    )
