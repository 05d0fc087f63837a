"""The decision about an attempt whose remote job has ended or is gone: collect it, and see what follows."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt
from batchctl.model.decision import Decision, Timer
from batchctl.model.lifecycle import OnMissing
from batchctl.model.observed import Unknown
from batchctl.model.reasons import Reason
from batchctl.model.states import GOOD_STATES, JobState, Phase
from batchctl.model.steps import Collect, Create
from batchctl.reconcile.calls.troubles import is_collection_due
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import BY_ORDER, create, rest, wait, wait_until_seen
from batchctl.reconcile.decide.follow_ups import find_follow_up
from batchctl.reconcile.decide.recreate import recreate
from batchctl.reconcile.decide.retry_policy import failure_name, judge
from batchctl.reconcile.decide.steps import collect_steps
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.endings import has_succeeded, row_words, was_cancelled
from batchctl.reconcile.view.subject import Subject, current_phase


def decide_ended(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The attempt is terminal: collect it, and see what follows."""
    attempt = view.attempt
    clock = context.clock_of(attempt.account)
    collect = collect_steps(view)
    if view.shown is not None and not view.parts and is_collection_due(attempt, clock):
        collect = (Collect(view.key, view.shown),)
    if was_cancelled(attempt, CancelCause.REMOVE, CancelCause.REPLACE) and not subject.is_cancel_requested:
        return _create_again(subject, context).before(*collect)
    followed = find_follow_up(subject, view, context)
    if followed is not None:
        decision = followed
    elif attempt.results_lost and attempt.state in GOOD_STATES:
        decision = rest(current_phase(subject, view), Reason.RESULTS_LOST, _loss(view))
    elif has_succeeded(attempt) and failure_name(attempt) not in subject.lifecycle.retry_on:
        decision = rest(current_phase(subject, view), _success_code(attempt), _success(attempt))
    else:
        decision = _decide_failed(subject, view, context)
    if view.missing is not None and view.is_gone:
        words = f"{decision.reason}; its remote job is gone, and its results are incomplete here: {view.missing}"
        decision = replace(decision, reason=words)
    if collect and decision.action.is_quiet:
        code, why = why_collect(view)
        words = f"{decision.reason}; {why}"
        decision = replace(decision, action=Action.COLLECT, code=code, reason=words)
    if attempt.trouble is not None and attempt.trouble.operation is Operation.COLLECT and collect:
        decision = replace(decision, reason=f"{decision.reason}: {attempt.trouble.words}")
    return decision.before(*collect)


def decide_gone(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The attempt's remote job is confirmed gone, or nothing depends on whether it is."""
    attempt = view.attempt
    if attempt.is_uncollected and attempt.delete_time is None and attempt.state in GOOD_STATES:
        words = "it succeeded, and was gone before its results were collected"
        return rest(current_phase(subject, view), Reason.RESULTS_LOST, words)
    if attempt.has_ended:
        return decide_ended(subject, view, context)
    if attempt.cancel_cause is CancelCause.USER or subject.is_cancel_requested:
        return rest(current_phase(subject, view), Reason.CANCEL_ORDERED, f"{BY_ORDER}, and gone")
    if attempt.cancel_cause in {CancelCause.REMOVE, CancelCause.REPLACE}:
        return _create_again(subject, context)
    if attempt.cancel_cause is CancelCause.DEADLINE:
        return _decide_failed(subject, view, context)
    if subject.lifecycle.on_missing is OnMissing.RECREATE:
        return recreate(subject, view, context)
    return rest(current_phase(subject, view), Reason.MISSING, "it went missing before it ended (onMissing: fail)")


def decide_unseen_end(subject: Subject, view: AttemptView, context: Context, unseen: Unknown) -> Decision:
    """The remote job is not seen in this pass. Its recorded end is still valid."""
    attempt = view.attempt
    ended = decide_ended(subject, view, context)
    words = f"{ended.reason}; not seen in this pass: {unseen.reason}"
    if ended.action is Action.NONE and not attempt.is_uncollected:
        return rest(ended.phase, ended.code, words)
    return wait_until_seen(ended.phase, Reason.UNSEEN, words)


def _loss(view: AttemptView) -> str:
    """Why a success has no results, in the API's own words where they are known."""
    trouble = view.attempt.trouble
    if trouble is not None and trouble.operation is Operation.COLLECT:
        return f"it succeeded, but its results could not be read: {trouble.words}"
    if view.missing is None:
        return "it succeeded, but the API no longer has its results"
    words = f"it succeeded, but its results are incomplete in the results folder ({view.missing})"
    return f"{words}, and the API no longer has them"


def why_collect(view: AttemptView) -> tuple[Reason, str]:
    """The reason for which results are collected, and its words."""
    if view.missing is None:
        return Reason.NOT_COLLECTED, "results not collected yet"
    words = f"its results are incomplete in the results folder ({view.missing}): collected again"
    return Reason.RESULTS_MISSING, words


def _create_again(subject: Subject, context: Context) -> Decision:
    words = "a manifest describes it again after its removal"
    return create(subject.next_key, Reason.WANTED_AGAIN, words, is_suspended=context.is_suspended(subject))


def _success_code(attempt: RecordedAttempt) -> Reason:
    return Reason.ROWS_FAILED if attempt.rows.failed else Reason.SUCCEEDED


def _success(attempt: RecordedAttempt) -> str:
    words = row_words(attempt)
    if attempt.rows.failed:
        return words
    return f"succeeded; {words}" if words else "succeeded"


def _decide_failed(subject: Subject, view: AttemptView, context: Context) -> Decision:
    attempt = view.attempt
    attempts = tuple(other.attempt for other in subject.attempts)
    verdict = judge(attempt, attempts, subject.lifecycle, cancelled_by_user=subject.is_cancel_requested)
    ended = _failure(attempt)
    if verdict.due is None:
        return rest(current_phase(subject, view), verdict.code, f"{ended}; {verdict.words}")
    if context.is_suspended(subject):
        return wait(Phase.WAITING, Reason.SUSPENDED, f"{ended}; suspended; otherwise {verdict.words} would follow")
    clock = context.clock_of(attempt.account)
    if clock < verdict.due:
        words = f"{ended}; {verdict.words} after back-off"
        return wait(Phase.WAITING, Reason.BACK_OFF, words, verdict.due, Timer.BACKOFF)
    key, words = subject.next_key, f"{ended}; {verdict.words}"
    return Decision(Action.RETRY, Phase.WAITING, verdict.code, words, (Create(key),), current=key.attempt)


def _failure(attempt: RecordedAttempt) -> str:
    name = attempt.state_words
    if was_cancelled(attempt, CancelCause.DEADLINE):
        return "cancelled at its deadline"
    if attempt.state == JobState.SUCCEEDED:
        return row_words(attempt)
    return f"{name}: {attempt.error.message.removesuffix('.')}" if attempt.error else name
