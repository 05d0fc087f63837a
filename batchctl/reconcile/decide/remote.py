"""The decision about an attempt with a remote job: wait, cancel, collect, try again."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, Operation, RecordedAttempt
from batchctl.model.decision import Decision, Timer
from batchctl.model.keys import same_digest
from batchctl.model.lifecycle import Lifecycle, OnMissing
from batchctl.model.observed import Missing, RemoteJob, Unknown
from batchctl.model.reasons import Reason
from batchctl.model.states import GOOD_STATES, JobState, Phase
from batchctl.model.steps import Cancel, Collect, Create
from batchctl.reconcile.calls.troubles import is_collection_due
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import BY_ORDER, create, rest, wait, wait_until_seen
from batchctl.reconcile.decide.follow_ups import find_follow_up
from batchctl.reconcile.decide.recreate import recreate
from batchctl.reconcile.decide.retry_policy import failure_name, judge
from batchctl.reconcile.decide.shards import follow_shards, give_up_unsent, merge_when_collected
from batchctl.reconcile.decide.steps import collect_steps, next_cancel
from batchctl.reconcile.decide.unseen import find_unseen, wait_to_see
from batchctl.reconcile.decide.unsent import go_on_unsent
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.endings import has_succeeded, row_words, was_cancelled
from batchctl.reconcile.view.shards import is_settled
from batchctl.reconcile.view.subject import Subject, current_phase

_NOT_STARTED = frozenset({JobState.QUEUED, JobState.PENDING})


def decide_same_work(subject: Subject, context: Context) -> Decision | None:
    """Follow the remote job of the current attempt, if it does the work that the manifest asks for."""
    view = subject.counting
    is_same = same_digest(view.attempt.digest, subject.manifest.digest)
    return follow(subject, view, context) if is_same else None


def follow(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """Follow the remote job to its end, whether or not its work is still wanted."""
    if view.parts:
        return _follow_shards(subject, view, context)
    unseen = find_unseen(view)
    if unseen is not None:
        return _decide_unseen(subject, view, context, unseen)
    if view.shown is not None:
        return _decide_present(subject, view, view.shown, context)
    return _decide_gone(subject, view, context)


def _follow_shards(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """Follow each shard to its end; then merge their results, and decide about the job."""
    subject, view, given_up = give_up_unsent(subject, view, context)
    if view.attempt.is_unsent and all(is_settled(part.attempt) for part in view.parts):
        words = f"{BY_ORDER} before a create call got through"
        return rest(current_phase(subject, view), Reason.CANCEL_ORDERED, words).before(*given_up)
    found = (_follow_shard(subject, part, context) for part in view.parts)
    decisions = [decision for decision in found if decision is not None]
    if decisions:
        decision = follow_shards(subject, view, decisions)
    else:
        decision = merge_when_collected(subject, view, context) or _decide_ended(subject, view, context)
    return decision.before(*given_up)


def _follow_shard(subject: Subject, part: AttemptView, context: Context) -> Decision | None:
    """The decision about one shard; None if nothing more happens to it by itself."""
    attempt = part.attempt
    if attempt.is_unsent and not is_settled(attempt):
        decision = go_on_unsent(subject, part, context)
        return replace(decision, code=Reason.SHARDS_LEFT, reason="created in turn") if attempt.is_new else decision
    unseen = find_unseen(part)
    if unseen is not None:
        return wait_to_see(current_phase(subject, part), unseen)
    if part.shown is not None and not attempt.has_ended:
        return _decide_present(subject, part, part.shown, context)
    collect = collect_steps(part)
    if part.shown is not None and is_collection_due(attempt, context.clock_of(attempt.account)):
        collect = (Collect(part.key, part.shown),)
    code, why = _why_collect(part)
    return Decision(Action.COLLECT, current_phase(subject, part), code, why, collect) if collect else None


def _decide_unseen(subject: Subject, view: AttemptView, context: Context, unseen: Unknown) -> Decision:
    """The remote job is not seen in this pass. A recorded end is still valid."""
    attempt = view.attempt
    if attempt.remote is None or not attempt.has_ended or isinstance(unseen, Missing):
        return wait_to_see(current_phase(subject, view), unseen)
    ended = _decide_ended(subject, view, context)
    words = f"{ended.reason}; not seen in this pass: {unseen.reason}"
    if ended.action is Action.NONE and not attempt.is_uncollected:
        return rest(ended.phase, ended.code, words)
    return wait_until_seen(ended.phase, Reason.UNSEEN, words)


def _decide_present(subject: Subject, view: AttemptView, job: RemoteJob, context: Context) -> Decision:
    """The API shows the attempt's remote job."""
    if view.attempt.has_ended:
        return _decide_ended(subject, view, context)
    if view.is_in_unknown_state:
        words = f"the API says {view.attempt.state}, which is a state that batchctl does not know"
        return wait(current_phase(subject, view), Reason.STATE_UNKNOWN, words)
    if view.attempt.cancel_time is not None:
        return _await_cancel(subject, view, job, context)
    return _decide_active(subject, view, job, context)


def _decide_gone(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The attempt's remote job is confirmed gone, or nothing depends on whether it is."""
    attempt = view.attempt
    if attempt.is_uncollected and attempt.delete_time is None and attempt.state in GOOD_STATES:
        words = "it succeeded, and was gone before its results were collected"
        return rest(current_phase(subject, view), Reason.RESULTS_LOST, words)
    if attempt.has_ended:
        return _decide_ended(subject, view, context)
    if attempt.cancel_cause is CancelCause.USER or subject.is_cancel_requested:
        return rest(current_phase(subject, view), Reason.CANCEL_ORDERED, f"{BY_ORDER}, and gone")
    if attempt.cancel_cause in {CancelCause.REMOVE, CancelCause.REPLACE}:
        return _create_again(subject, context)
    if attempt.cancel_cause is CancelCause.DEADLINE:
        return _decide_failed(subject, view, context)
    if subject.lifecycle.on_missing is OnMissing.RECREATE:
        return recreate(subject, view, context)
    return rest(current_phase(subject, view), Reason.MISSING, "it went missing before it ended (onMissing: fail)")


def _await_cancel(subject: Subject, view: AttemptView, job: RemoteJob, context: Context) -> Decision:
    clock = context.clock_of(job.account)
    due = next_cancel(view.attempt, clock)
    if due is not None:
        return wait(
            current_phase(subject, view), Reason.CANCELLING, "cancel sent; waiting for its end", due, Timer.CANCEL
        )
    cause = view.attempt.cancel_cause or CancelCause.USER
    step = Cancel(view.key, job.account, job.name, cause)
    words = "the job still runs after a cancel: it is sent again"
    return Decision(Action.CANCEL, current_phase(subject, view), Reason.CANCELLING, words, (step,), unfinished=True)


def _decide_active(subject: Subject, view: AttemptView, job: RemoteJob, context: Context) -> Decision:
    deadline, code, words = _deadline(view.attempt, subject.lifecycle)
    clock = context.clock_of(job.account)
    if deadline is not None and deadline <= clock:
        step = Cancel(view.key, job.account, job.name, CancelCause.DEADLINE)
        return Decision(Action.CANCEL, current_phase(subject, view), code, words, (step,), unfinished=True)
    if subject.is_cancel_requested:
        step = Cancel(view.key, job.account, job.name, CancelCause.USER)
        return Decision(
            Action.CANCEL, current_phase(subject, view), Reason.CANCEL_ORDERED, BY_ORDER, (step,), unfinished=True
        )
    return wait(current_phase(subject, view), Reason.ACTIVE, view.attempt.state_words, deadline, Timer.DEADLINE)


def _deadline(attempt: RecordedAttempt, lifecycle: Lifecycle) -> tuple[datetime | None, Reason, str]:
    """When the attempt's present state has lasted too long, with the reason that this is, and its words."""
    if attempt.state in _NOT_STARTED:
        end = _after(attempt.create_time, lifecycle.pending_deadline)
        return end, Reason.PENDING_DEADLINE, "pendingDeadline is over: the job did not start"
    end = _after(attempt.start_time, lifecycle.active_deadline)
    return end, Reason.ACTIVE_DEADLINE, "activeDeadline is over: it ran too long"


def _after(start: datetime | None, span: timedelta | None) -> datetime | None:
    return None if start is None or span is None else start + span


def _decide_ended(subject: Subject, view: AttemptView, context: Context) -> Decision:
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
        code, why = _why_collect(view)
        words = f"{decision.reason}; {why}"
        decision = replace(decision, action=Action.COLLECT, code=code, reason=words)
    if attempt.trouble is not None and attempt.trouble.operation is Operation.COLLECT and collect:
        decision = replace(decision, reason=f"{decision.reason}: {attempt.trouble.words}")
    return decision.before(*collect)


def _loss(view: AttemptView) -> str:
    """Why a success has no results, in the API's own words where they are known."""
    trouble = view.attempt.trouble
    if trouble is not None and trouble.operation is Operation.COLLECT:
        return f"it succeeded, but its results could not be read: {trouble.words}"
    if view.missing is None:
        return "it succeeded, but the API no longer has its results"
    words = f"it succeeded, but its results are incomplete in the results folder ({view.missing})"
    return f"{words}, and the API no longer has them"


def _why_collect(view: AttemptView) -> tuple[Reason, str]:
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
