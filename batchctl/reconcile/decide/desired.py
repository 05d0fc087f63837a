"""The decision about a job with a manifest, as long as no remote job of it is known."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision
from batchctl.model.keys import same_digest
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.reconcile.decide.changed import changes_of
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import BY_ORDER, create, rest, wait, wait_until_seen
from batchctl.reconcile.decide.unanswered import abandon, settle
from batchctl.reconcile.decide.unsent import send_again, send_lost_call
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject, current_phase


def decide_new(subject: Subject, context: Context) -> Decision | None:
    """Create the first attempt of a job, if its account was read in full."""
    if subject.current is not None:
        return None
    desired = subject.manifest
    observation = context.observed.get(desired.account)
    if observation is None or not observation.complete:
        # A job that was made before the state was lost could be on a page that failed.
        why = observation.problem if observation else "its account was not read"
        return wait_until_seen(Phase.UNKNOWN, Reason.UNSEEN, f"cannot tell whether it was created already: {why}")
    if desired.adopt is not None:
        words = f"spec.adopt names {desired.adopt}, but there is no such job without an owner"
        return wait(Phase.WAITING, Reason.NOTHING_TO_ADOPT, words)
    return _create_next(subject, context, Reason.NEW, "new in the manifests")


def decide_unsent(subject: Subject, context: Context) -> Decision | None:
    """Go on with an attempt without a remote job: it was refused, was not sent, or has no known outcome."""
    view, desired = subject.counting, subject.manifest
    attempt = view.attempt
    same = same_digest(attempt.digest, desired.digest) and attempt.account == desired.account
    # Shards that were not sent are followed one by one, unless their rows are not wanted any more.
    are_left = attempt.gone_time is None and not attempt.rejected
    is_followed = view.parts and are_left and (same or attempt.intent is not None)
    if not attempt.is_unsent or is_followed:
        return None
    if attempt.rejected:
        if same:
            return rest(current_phase(subject), Reason.REJECTED, _refusal(attempt))
        made = _create_next(subject, context, Reason.WORK_CHANGED, "changed since it was refused")
        return replace(made, changes=changes_of(attempt, desired))
    if same and subject.is_cancel_requested:
        return _call_off(subject, view, context)
    if view.parts and not same:
        made = _create_next(subject, context, Reason.WORK_CHANGED, "changed before any of its shards was created")
        return replace(made, changes=changes_of(attempt, desired))
    if attempt.gone_time is not None:
        return _create_next(subject, context, Reason.CALL_LOST, "its create call was given up: its mark did not appear")
    if attempt.intent is None:
        return send_again(subject, view, context) if same else _send_changed(subject, view, context)
    return _after_no_answer(subject, view, context, same=same)


def _create_next(subject: Subject, context: Context, code: Reason, words: str) -> Decision:
    return create(subject.next_key, code, words, is_suspended=context.is_suspended(subject))


def _after_no_answer(subject: Subject, view: AttemptView, context: Context, *, same: bool) -> Decision:
    """The create call has no known outcome: wait for its mark to show, then send it."""
    waiting = settle(current_phase(subject), view, context)
    if waiting is not None:
        return waiting
    if same:
        return send_lost_call(subject, view, context)
    made = _create_next(
        subject, context, Reason.WORK_CHANGED, "changed before it was known whether its create call made a job"
    )
    return replace(made.before(abandon(view.attempt, context)), changes=changes_of(view.attempt, subject.manifest))


def _send_changed(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """The create call surely made nothing, and the work has changed: the new work takes its place."""
    code, reason = Reason.NOT_SENT, "the create call did not get through; nothing was sent"
    decision = create(view.key, code, reason, None, is_suspended=context.is_suspended(subject))
    return replace(decision, changes=changes_of(view.attempt, subject.manifest))


def _call_off(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """`batchctl cancel` stopped the attempt before a remote job of it was known: it is not sent."""
    if view.attempt.intent is None:
        words = f"{BY_ORDER} before a create call got through"
        return rest(current_phase(subject), Reason.CANCEL_ORDERED, words)
    waiting = settle(current_phase(subject), view, context)
    if waiting is not None:
        return replace(waiting, reason=f"{waiting.reason}; {BY_ORDER}, so it is not sent again")
    given_up = abandon(view.attempt, context)
    return rest(Phase.CANCELLED, Reason.CANCEL_ORDERED, f"{BY_ORDER}, and its create call made no job").before(given_up)


def _refusal(attempt: RecordedAttempt) -> str:
    message = attempt.error.message.removesuffix(".") if attempt.error else "no reason was given"
    return f"the API refused it: {message}; again only after a change, or by `batchctl retry`"
