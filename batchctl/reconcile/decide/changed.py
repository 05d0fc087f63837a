"""The decision about a desired job whose attempt does other work than its manifest asks for (`onChange`)."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Change, Counted, Decision, Guard
from batchctl.model.desired import DesiredJob
from batchctl.model.digests import has_same_requests
from batchctl.model.keys import same_digest
from batchctl.model.lifecycle import OnChange
from batchctl.model.reasons import Reason
from batchctl.model.row_work import MOST_ROWS_LISTED
from batchctl.model.steps import Create, Step
from batchctl.model.work_size import rows_sent
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import wait
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.decide.steps import collect_steps, end_steps, stop_steps
from batchctl.reconcile.decide.unanswered import abandon, settle
from batchctl.reconcile.decide.unseen import find_unseen, wait_to_see
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.changes import describe_changes, row_words_of
from batchctl.reconcile.view.endings import has_succeeded
from batchctl.reconcile.view.subject import Subject, current_phase

ADOPTED_CHANGED = ErrorCode.ADOPTED_CHANGED
ON_CHANGE_FAIL = ErrorCode.ON_CHANGE_FAIL


def decide_changed(subject: Subject, context: Context) -> Decision:
    """Follow the change as `onChange` says. An old attempt that is kept is still followed to its end."""
    policy, changes = subject.lifecycle.on_change, changes_of(subject.counting.attempt, subject.manifest)
    if context.is_suspended(subject):
        decision = _keep(subject, context, Reason.SUSPENDED, "its work changed, but it is suspended")
    elif policy is OnChange.KEEP:
        decision = _keep(subject, context, Reason.CHANGE_KEPT, "its work changed, and the old is kept (onChange: keep)")
    elif policy is OnChange.FAIL:
        decision = _fail(subject)
    else:
        decision = _wait_to_replace(subject, context) or _replace(subject, context, changes)
    return replace(decision, changes=changes)


def _wait_to_replace(subject: Subject, context: Context) -> Decision | None:
    """The wait for an attempt whose state is unknown; None if every state is known."""
    for view in subject.views:
        waiting = None if view.attempt.intent is None else settle(current_phase(subject), view, context)
        if waiting is not None:
            return replace(waiting, reason=f"its work changed, but {waiting.reason}")
        unseen = find_unseen(view)
        if unseen is not None:
            return wait_to_see(current_phase(subject), unseen, "its work changed")
        if view.is_in_unknown_state:
            words = (
                f"its work changed, but the API says {view.attempt.state}, which is a state that batchctl does not know"
            )
            return wait(current_phase(subject), Reason.STATE_UNKNOWN, words)
    return None


def _keep(subject: Subject, context: Context, code: Reason, words: str) -> Decision:
    decision = follow(subject, subject.counting, context)
    code = code if decision.action.is_quiet else decision.code
    return replace(decision, code=code, reason=f"{decision.reason}; {words}")


def _fail(subject: Subject) -> Decision:
    message = f"{subject.name} changed, and its onChange is fail"
    way_out = "undo the change, or set spec.lifecycle.onChange: replace"
    return Decision(
        Action.REPLACE,
        current_phase(subject),
        Reason.CHANGE_REFUSED,
        "its work changed (onChange: fail)",
        refusal=Guard(ON_CHANGE_FAIL, message, way_out),
    )


def _replace(subject: Subject, context: Context, changes: tuple[Change, ...]) -> Decision:
    """Stop and remove the old attempts, then make a new one, or use an earlier one that did the same work."""
    active = [view for view in subject.views if view.is_working]
    is_rerun = subject.name in context.options.rerun
    reused = None if is_rerun else _find_reusable(subject)
    code, words = Reason.WORK_CHANGED, "; ".join(filter(None, ("its work changed", row_words_of(changes))))
    if reused is not None:
        code, words = Reason.CHANGED_BACK, f"changed back: attempt {reused.key.attempt} has its results"
    if active:
        steps = tuple(step for view in active for step in stop_steps(view, context, CancelCause.REPLACE))
        is_cancelling = any(view.attempt.cancel_time is not None for view in active)
        words += "; the old job is cancelling" if is_cancelling else "; the old job is to be cancelled first"
    else:
        steps = _replacing_steps(subject, reused, discard_results=context.options.discard_results)
    following = None if active else (subject.next_key if reused is None else reused.key).attempt
    if reused is not None and not steps and not active:
        return Decision(Action.REUSE, current_phase(subject, reused), code, words, current=following)
    # A replacement under way was approved when it began: do not check limits or ask for consent again.
    is_agreed = subject.counting.attempt.cancel_cause is CancelCause.REPLACE
    lost = (abandon(view.attempt, context) for view in subject.views if view.attempt.intent is not None)
    refusal, again = _refuse_adopted(subject.counting.attempt, context), "" if reused else _bought_again(subject)
    if refusal is not None and again:
        refusal = replace(refusal, message=f"{refusal.message}; {again}")
    elif again and not is_agreed:
        words += f"; {again}"
    return Decision(
        Action.REPLACE,
        current_phase(subject),
        code,
        words,
        steps,
        unfinished=bool(active),
        counted=None if is_agreed else Counted.REPLACE,
        needs_consent=not is_agreed,
        ends_protected=not is_agreed,
        refusal=refusal,
        current=following,
    ).before(*lost)


def _replacing_steps(subject: Subject, reused: AttemptView | None, *, discard_results: bool) -> tuple[Step, ...]:
    """The steps when no attempt is active: the old attempts are removed, and the new one is created or reused."""
    keep = None if reused is None else reused.key.attempt
    old = (view for view in subject.views if view.is_present and view.key.attempt != keep)
    ends = (step for view in old for step in end_steps(view, discard_results=discard_results))
    return (*ends, Create(subject.next_key)) if reused is None else (*collect_steps(reused), *ends)


def _find_reusable(subject: Subject) -> AttemptView | None:
    """The newest earlier attempt that did the desired work with success, its results here or still at the API."""
    for view in reversed(subject.attempts):
        is_there = view.has_results or bool(collect_steps(view))
        is_same = same_digest(view.attempt.digest, subject.manifest.digest)
        if is_same and is_there and has_succeeded(view.attempt):
            return view
    return None


def _refuse_adopted(attempt: RecordedAttempt, context: Context) -> Guard | None:
    """A job known only by its mark was made by a manifest that this state never saw: a person has to agree."""
    if not attempt.adopted or attempt.tree or context.options.adopt_changed:
        return None
    message = f"{attempt.key.job} was adopted by its mark, and its digest differs from the manifest's"
    return Guard(ADOPTED_CHANGED, message, "--adopt-changed")


def _bought_again(subject: Subject) -> str:
    """Whether rows that did not change may be bought again, in words with the way out; empty if not.

    A short list of the rows that an attempt sent is in the state alone (decision 119), and lost with it.
    """
    view, desired = subject.counting, subject.manifest
    rows, attempt = rows_sent(desired), view.attempt
    is_known = attempt.sent is not None or not attempt.adopted
    are_others = bool(attempt.tree) and not has_same_requests(attempt.tree, desired.tree)
    if is_known or are_others or rows is None or not desired.row_settings.reuse:
        return ""
    if rows > MOST_ROWS_LISTED and not view.has_results:
        return ""
    words = "rows that did not change may be bought again, because it is not known which rows its job was sent"
    if view.has_results:
        return words
    return (
        f"{words}: to avoid that, undo the change before the next `apply` or `watch`, until its results are collected"
    )


def changes_of(attempt: RecordedAttempt, desired: DesiredJob) -> tuple[Change, ...]:
    """The differences between the desired work and that of an attempt."""
    if not attempt.tree:
        return (Change("digest", attempt.digest, desired.digest),)
    return describe_changes(attempt.tree, desired.tree, (attempt.row_hashes, desired.row_hashes))
