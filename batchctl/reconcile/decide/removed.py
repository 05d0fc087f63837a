"""The decision about a recorded job that no manifest describes any more (`onRemove`), and about an orphan."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause
from batchctl.model.decision import Counted, Decision
from batchctl.model.kinds import Kind
from batchctl.model.lifecycle import OnRemove
from batchctl.model.reasons import Reason
from batchctl.model.recorded import JobRow
from batchctl.model.states import Phase
from batchctl.model.steps import Forget, RecordJob, Step
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import wait
from batchctl.reconcile.decide.steps import collect_steps, end_steps, stop_steps
from batchctl.reconcile.decide.unanswered import settle
from batchctl.reconcile.decide.unseen import find_unseen, wait_to_see
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.phases import phase_of
from batchctl.reconcile.view.subject import Subject, current_phase, phase_facts


def row_of(subject: Subject) -> JobRow:
    """The row of a job that no manifest describes; of an orphan the one that its removal begins with."""
    if subject.recorded is not None:
        return subject.recorded.row
    last = subject.views[-1]
    return JobRow(subject.name, Kind.BATCH_JOB, "", "", "", last.attempt.account, current=last.key.attempt)


def decide_removed(subject: Subject, context: Context) -> Decision:
    """Remove a job as its `onRemove` says: cancel, wait for the end, collect, delete."""
    for view in subject.views:
        if view.attempt.intent is not None:
            waiting = settle(current_phase(subject, view), view, context)
            if waiting is not None:
                return waiting
    remote = [view for view in subject.views if view.attempt.remote is not None]
    present = [view for view in remote if view.is_present]
    unseen = next((why for view in remote if (why := find_unseen(view)) is not None), None)
    doubled = any(view.living_duplicates for view in subject.views)
    if not present and unseen is None and not doubled:
        words = f"{_words(context)}, and nothing of it is left"
        return Decision(Action.FORGET, Phase.REMOVING, Reason.NOTHING_LEFT, words, (Forget(subject.name),))
    if subject.lifecycle.on_remove is OnRemove.KEEP:
        return _release(subject, context, "the remote job is kept (onRemove: keep)")
    if unseen is not None:
        return wait_to_see(current_phase(subject), unseen, _words(context))
    for view in present:
        if view.is_in_unknown_state:
            state = f"the API says {view.attempt.state}, which is a state that batchctl does not know"
            return wait(current_phase(subject), Reason.STATE_UNKNOWN, f"{_words(context)}, but {state}")
    active = [view for view in present if view.is_working]
    return _stop(subject, active, context) if active or doubled else _end(subject, present, context)


def _words(context: Context) -> str:
    """Why the job is removed."""
    return "destroy was requested" if context.options.destroy else "no longer in a manifest"


def _code(context: Context) -> Reason:
    return Reason.DESTROY_ORDERED if context.options.destroy else Reason.REMOVED


def _phase(subject: Subject) -> Phase:
    """Its phase where no create call is left to settle."""
    facts = phase_facts(subject)
    attempt = None if facts.attempt is None else replace(facts.attempt, intent=None)
    return phase_of(replace(facts, attempt=attempt))


def _stop(subject: Subject, active: list[AttemptView], context: Context) -> Decision:
    """Cancel the active attempts; the rest follows when they have ended."""
    keeps = subject.lifecycle.on_remove is OnRemove.CANCEL
    # A removal under way was approved when it began: do not check limits or ask for consent again.
    is_agreed = subject.is_removal_agreed
    cancels = (step for view in active for step in stop_steps(view, context, CancelCause.REMOVE))
    begin: tuple[Step, ...] = ()
    if not is_agreed:
        begin = (RecordJob(replace(row_of(subject), removing_time=context.now)),)
    return Decision(
        Action.CANCEL if keeps else Action.DELETE,
        _phase(subject),
        _code(context),
        f"{_words(context)}; {'to be cancelled first' if begin else 'cancelling'}",
        (*begin, *cancels),
        unfinished=True,
        counted=None if is_agreed else Counted.DELETE,
        needs_consent=not is_agreed,
        ends_protected=not is_agreed,
    )


def _end(subject: Subject, present: list[AttemptView], context: Context) -> Decision:
    """Everything has ended: collect, then delete or release."""
    if subject.lifecycle.on_remove is OnRemove.CANCEL:
        collects = tuple(step for view in present for step in collect_steps(view))
        return _release(subject, context, "ended and kept (onRemove: cancel)").before(*collects)
    discard = context.options.discard_results
    is_agreed = subject.is_removal_agreed
    ends = (step for view in present for step in end_steps(view, discard_results=discard))
    return Decision(
        Action.DELETE,
        _phase(subject),
        _code(context),
        _words(context),
        (*ends, Forget(subject.name)),
        counted=None if is_agreed else Counted.DELETE,
        needs_consent=not is_agreed,
        ends_protected=not is_agreed,
    )


def _release(subject: Subject, context: Context, words: str) -> Decision:
    step = RecordJob(replace(row_of(subject), released_time=context.now))
    return Decision(
        Action.FORGET,
        _phase(subject),
        Reason.KEPT,
        f"{_words(context)}; {words}",
        (step,),
        needs_consent=not subject.is_removal_agreed,
        ends_protected=True,
    )
