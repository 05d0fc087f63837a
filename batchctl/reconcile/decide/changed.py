"""The decision about a desired job whose current attempt does other work than what is desired now (`onChange`)."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob, OnChange
from batchctl.model.keys import same_digest
from batchctl.model.observed import Present
from batchctl.model.plan import Action, Change, Create, Guard, Step
from batchctl.model.reasons import Reason
from batchctl.model.recorded import CancelCause, RecordedAttempt
from batchctl.model.states import is_active, is_terminal
from batchctl.reconcile.decide.decision import (
    Context,
    Counted,
    Decision,
    Subject,
    collect_steps,
    end_steps,
    is_held,
    stand,
    stop_steps,
    wait,
)
from batchctl.reconcile.decide.fallback import go_on
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.decide.unseen import find_unseen, wait_to_see
from batchctl.reconcile.view.attempts import AttemptView
from batchctl.reconcile.view.changes import describe_changes, row_words
from batchctl.reconcile.view.endings import has_succeeded

ADOPTED_CHANGED = ErrorCode.ADOPTED_CHANGED
ON_CHANGE_FAIL = ErrorCode.ON_CHANGE_FAIL


def decide_changed(subject: Subject, desired: DesiredJob, view: AttemptView, context: Context) -> Decision:
    """What a change of the work leads to. Held back or kept, the old attempt is followed to its end all the same."""
    policy, changes = desired.lifecycle.on_change, changes_of(view.attempt, desired)
    if is_held(desired.lifecycle, context):
        words = "its work changed, but it is suspended"
        return _keep(subject, desired, view, context, Reason.SUSPENDED, words)
    if policy is OnChange.KEEP:
        words = "its work changed, and the old is kept (onChange: keep)"
        return _keep(subject, desired, view, context, Reason.CHANGE_KEPT, words)
    if policy is OnChange.FAIL:
        return _fail(subject, desired, view, context, changes)
    for other in subject.views:
        unseen = find_unseen(other)
        if unseen is not None:
            return replace(wait_to_see(stand(subject), unseen, "its work changed"), changes=changes)
        state = other.attempt.state or ""
        if isinstance(other.presence, Present) and not is_active(state) and not is_terminal(state):
            words = f"its work changed, but the API says {state}, and what that leads to is not known"
            return replace(wait(stand(subject), Reason.STATE_UNKNOWN, words), changes=changes)
    return _replace(subject, desired, view, context, changes)


def _keep(
    subject: Subject, desired: DesiredJob, view: AttemptView, context: Context, code: Reason, words: str
) -> Decision:
    decision = follow(subject, desired.lifecycle, view, context)
    code = code if decision.action.is_quiet else decision.code
    reason = f"{decision.reason}; {words}"
    return replace(decision, code=code, reason=reason, changes=changes_of(view.attempt, desired))


def _fail(
    subject: Subject, desired: DesiredJob, view: AttemptView, context: Context, changes: tuple[Change, ...]
) -> Decision:
    """Refuse the change, and follow the old attempt as far as that buys nothing."""
    message = f"{subject.name} changed, and its onChange is fail"
    way_out = "undo the change, or set spec.lifecycle.onChange: replace"
    return Decision(
        Action.REPLACE,
        stand(subject, view),
        Reason.CHANGE_REFUSED,
        "its work changed (onChange: fail)",
        changes=changes,
        refusal=Guard(ON_CHANGE_FAIL, message, way_out),
        meanwhile=go_on(subject, desired.lifecycle, context),
    )


def _replace(
    subject: Subject, desired: DesiredJob, view: AttemptView, context: Context, changes: tuple[Change, ...]
) -> Decision:
    old = [other for other in subject.views if isinstance(other.presence, Present)]
    active = [other for other in old if is_active(other.attempt.state or "")]
    reused = None if subject.name in context.options.rerun else _find_reusable(subject, desired)
    code, words = Reason.WORK_CHANGED, "; ".join(filter(None, ("its work changed", row_words(changes))))
    if reused is not None:
        code, words = Reason.CHANGED_BACK, f"changed back: attempt {reused.key.attempt} has its results"
    steps: tuple[Step, ...]
    if active:
        steps = tuple(step for other in active for step in stop_steps(other, context, CancelCause.REPLACE))
        current = None
    else:
        discard = context.options.discard_results
        keep = None if reused is None else reused.key
        collects = () if reused is None else collect_steps(reused)
        ends = (step for other in old if other.key != keep for step in end_steps(other, discard_results=discard))
        key = subject.next_key if reused is None else reused.key
        steps = (*ends, Create(key)) if reused is None else (*collects, *ends)
        current = key.attempt
    if reused is not None and not steps and not active:
        return Decision(Action.REUSE, stand(subject, reused), code, words, changes=changes, current=current)
    is_cancelling = any(other.attempt.cancel_time is not None for other in active)
    if active:
        words += "; the old job is cancelling" if is_cancelling else "; the old job is to be cancelled first"
    # Whoever let it begin has let it end: neither the number nor the leave is asked for again half-way.
    is_agreed = view.attempt.cancel_cause is CancelCause.REPLACE
    refusal = _refuse_adopted(view.attempt, context)
    return Decision(
        Action.REPLACE,
        stand(subject, view),
        code,
        words,
        steps,
        changes=changes,
        unfinished=bool(active),
        counted=None if is_agreed else Counted.REPLACE,
        needs_consent=not is_agreed,
        ends_protected=not is_agreed,
        refusal=refusal,
        # Of a job that was made by another manifest nothing is ended, whatever this one's policy says.
        meanwhile=None if refusal else go_on(subject, desired.lifecycle, context),
        current=current,
    )


def _find_reusable(subject: Subject, desired: DesiredJob) -> AttemptView | None:
    """The newest earlier attempt that did the desired work with success, its results here or still at the API."""
    for view in reversed(subject.views):
        attempt = view.attempt
        is_there = view.has_results or bool(collect_steps(view))
        if same_digest(attempt.digest, desired.digest) and is_there and has_succeeded(attempt):
            return view
    return None


def _refuse_adopted(attempt: RecordedAttempt, context: Context) -> Guard | None:
    """A job known only by its mark was made by a manifest that we never saw: a person has to agree to its end."""
    if not attempt.adopted or attempt.tree or context.options.adopt_changed:
        return None
    message = f"{attempt.key.job} was adopted by its mark, and its digest differs from the manifest's"
    return Guard(ADOPTED_CHANGED, message, "--adopt-changed")


def changes_of(attempt: RecordedAttempt, desired: DesiredJob) -> tuple[Change, ...]:
    """How the desired work differs from that of an attempt."""
    if not attempt.tree:
        return (Change("digest", attempt.digest, desired.digest),)
    return describe_changes(attempt.tree, desired.tree, (attempt.row_hashes, desired.row_hashes))
