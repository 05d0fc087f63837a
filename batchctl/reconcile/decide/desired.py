"""The decision about a job that the manifests ask for."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import MOST_ATTEMPTS, same_digest
from batchctl.model.plan import Action, Create, Guard, Note, RecordAttempt, Timer
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedAttempt
from batchctl.reconcile.decide.changed import changes_of, decide_changed
from batchctl.reconcile.decide.decision import (
    BY_ORDER,
    Context,
    Decision,
    Subject,
    create,
    is_cancel_requested,
    job_row_step,
    recorded_row,
    rest,
    stand,
    wait,
    wait_for_look,
)
from batchctl.reconcile.decide.remote import follow
from batchctl.reconcile.decide.rerun import rerun
from batchctl.reconcile.decide.retry_order import follow_order
from batchctl.reconcile.decide.unanswered import settle
from batchctl.reconcile.rules.collected_results import collect_again, guard_last_copy
from batchctl.reconcile.rules.duplicates import heal
from batchctl.reconcile.rules.incomplete import hold_back
from batchctl.reconcile.rules.reuse import label_reuse, restore_copy, reuse_known_work
from batchctl.reconcile.rules.ttl import apply_ttl
from batchctl.reconcile.rules.updates import find_updates
from batchctl.reconcile.view.attempts import NO_TOKEN, AttemptView, provider_now
from batchctl.reconcile.view.phases import WANTED, Standing


def decide_wanted(subject: Subject, desired: DesiredJob, context: Context) -> Decision:
    """What to do about a desired job, with the steps that write its record down."""
    decision = reuse_known_work(subject, desired, _decide(subject, desired, context), context)
    decision = collect_again(subject, restore_copy(subject, desired, decision, context))
    decision = apply_ttl(subject, desired.lifecycle, decision, context)
    decision = guard_last_copy(subject, decision, context)
    decision = hold_back(subject, heal(subject, decision), context)
    decision = _within_marks(subject, decision)
    decision = label_reuse(subject, label_adoption(subject, decision))
    return _with_record(subject, desired, decision)


def _decide(subject: Subject, desired: DesiredJob, context: Context) -> Decision:
    view = subject.current
    if view is None:
        return _decide_first(subject, desired, context)
    is_rerun = subject.name in context.options.rerun
    ordered = (rerun if is_rerun else follow_order)(subject, desired, view, context)
    if ordered is not None:
        return ordered
    if view.attempt.is_unsent:
        return _decide_unsent(subject, desired, view, context)
    if same_digest(view.attempt.digest, desired.digest):
        return follow(subject, desired.lifecycle, view, context)
    return decide_changed(subject, desired, view, context)


def _decide_first(subject: Subject, desired: DesiredJob, context: Context) -> Decision:
    observation = context.observed.get(desired.account)
    if observation is None or not observation.complete:
        # A job made before the state was lost could be on a page that failed.
        why = observation.problem if observation else "nobody looked at its account"
        return wait_for_look(
            Standing(is_hidden=True), Reason.UNSEEN, f"cannot tell whether it was created already: {why}"
        )
    if desired.adopt is not None:
        words = f"spec.adopt names {desired.adopt}, and there is no such job that nobody owns"
        return wait(WANTED, Reason.NOTHING_TO_ADOPT, words)
    return create(subject.next_key, desired.lifecycle, context, Reason.NEW, "new in the manifests")


def _decide_unsent(subject: Subject, desired: DesiredJob, view: AttemptView, context: Context) -> Decision:
    """The current attempt has no remote job: it was refused, never sent, or nobody knows."""
    attempt = view.attempt
    same = same_digest(attempt.digest, desired.digest) and attempt.account == desired.account
    if attempt.rejected:
        if same:
            return rest(stand(subject), Reason.REJECTED, _refusal(attempt))
        words = "changed since it was refused"
        made = create(subject.next_key, desired.lifecycle, context, Reason.WORK_CHANGED, words)
        return replace(made, changes=changes_of(attempt, desired))
    if same and is_cancel_requested(subject):
        return _call_off(subject, view, context)
    if attempt.gone_time is not None:
        words = "its create call was lost and given up"
        return create(subject.next_key, desired.lifecycle, context, Reason.CALL_LOST, words)
    if attempt.intent is None:
        return _send_again(desired, view, context, same=same)
    waiting = settle(stand(subject), view, context)
    if waiting is not None:
        return waiting
    if same:
        reason = "the create call was lost: its mark did not turn up within the grace; sent again with the same token"
        decision = create(view.key, desired.lifecycle, context, Reason.CALL_LOST, reason, attempt.token)
        return replace(decision, counted=None, needs_consent=False)
    words = "changed while its create call was lost"
    decision = create(subject.next_key, desired.lifecycle, context, Reason.WORK_CHANGED, words)
    return replace(decision.before(_abandon(attempt, context)), changes=changes_of(attempt, desired))


def _send_again(desired: DesiredJob, view: AttemptView, context: Context, *, same: bool) -> Decision:
    """The create call surely made nothing: it is sent again, after the pause that its refusals ask for."""
    attempt, trouble = view.attempt, view.attempt.trouble
    if trouble is None or not same:
        code, reason = Reason.NOT_SENT, "the create call did not get through; nothing was sent"
    else:
        code = Reason.NOT_SENT if trouble.until is None else Reason.REFUSED_FOR_NOW
        reason = f"nothing was sent so far: {trouble.words}"
    decision = create(view.key, desired.lifecycle, context, code, reason, attempt.token if same else None)
    due = trouble.next_time if trouble is not None and same else None
    if due is not None and decision.action is Action.CREATE:
        clock = provider_now(attempt.account, context.observed, context.now)
        if clock < due:
            return wait(WANTED, code, reason, due, Timer.BACKOFF)
    # What is the same was agreed to when it was first tried.
    changes = () if same else changes_of(attempt, desired)
    return replace(decision, needs_consent=decision.needs_consent and not same, changes=changes)


def _call_off(subject: Subject, view: AttemptView, context: Context) -> Decision:
    """What is left of an attempt of which no remote job was known when `batchctl cancel` stopped it: it is not sent."""
    if view.attempt.intent is None:
        return rest(stand(subject), Reason.CANCEL_ORDERED, f"{BY_ORDER} before a create call got through")
    waiting = settle(stand(subject), view, context)
    if waiting is not None:
        return replace(waiting, reason=f"{waiting.reason}; {BY_ORDER}, so it is not sent again")
    given_up = _abandon(view.attempt, context)
    after = replace(stand(subject), attempt=given_up.attempt)
    return rest(after, Reason.CANCEL_ORDERED, f"{BY_ORDER}, and its create call was lost").before(given_up)


def _abandon(attempt: RecordedAttempt, context: Context) -> RecordAttempt:
    """An attempt whose create call is given up; should its remote job turn up after all, it belongs to it."""
    return RecordAttempt(replace(attempt, intent=None, gone_time=context.now), Note.ABANDONED)


def _refusal(attempt: RecordedAttempt) -> str:
    message = attempt.error.message if attempt.error else "no reason was given"
    return f"the API refused it: {message}; again only after a change, or by `batchctl retry`"


def _within_marks(subject: Subject, decision: Decision) -> Decision:
    """Refuse an attempt whose number no mark can carry: its remote job would not be known again.

    A replacement is refused as a whole, before it cancels what cannot be followed by another.
    """
    creates = any(isinstance(step, Create) and step.key.attempt > MOST_ATTEMPTS for step in decision.steps)
    makes_room = decision.action is Action.REPLACE and subject.next_key.attempt > MOST_ATTEMPTS
    if decision.refusal is not None or not (creates or makes_room):
        return decision
    message = f"{subject.name} has an attempt {MOST_ATTEMPTS}, and a mark can carry no higher number"
    return replace(decision, refusal=Guard(ErrorCode.NO_NUMBER_LEFT, message, "give the job another name"))


def label_adoption(subject: Subject, decision: Decision) -> Decision:
    """The decision as an adoption, where that is the news in it."""
    adopted = [view for view in subject.views if view.note is Note.ADOPTED]
    plain = decision.action.is_harmless
    if not adopted or not (plain or decision.refusal):
        return decision
    code, found = Reason.ADOPTED, "found by its mark"
    if adopted[-1].attempt.token == NO_TOKEN:
        code, found = Reason.IMPORTED, "taken in"
    reason = f"{found}: {adopted[-1].attempt.remote}; {decision.reason}"
    return replace(decision, action=Action.ADOPT, code=code, reason=reason)


def _with_record(subject: Subject, desired: DesiredJob, decision: Decision) -> Decision:
    """Put the steps that keep the record true in front: the job's row, then what was seen of its attempts."""
    current, recorded = subject.current, subject.recorded
    if current is None:
        row = recorded_row(desired, recorded, decision.current or 1)
        if recorded is not None:
            base = (*job_row_step(row, recorded), *decision.base)
            return replace(decision, base=base, updates=find_updates(recorded, row, None))
        return decision if decision.current is None else decision.before(*job_row_step(row, None))
    row = recorded_row(desired, recorded, current.key.attempt)
    steps = list(decision.steps)
    if decision.current is not None:
        # A new attempt, or an old one used again, starts free of what was ordered for the one before.
        fresh = replace(row, current=decision.current, cancel_requested=None, retry_requested=None)
        at = next((i for i, step in enumerate(steps) if step.makes_attempt), len(steps))
        steps[at:at] = job_row_step(fresh, row)
    seen = (step for view in subject.views for step in view.steps)
    base = (*job_row_step(row, recorded), *seen, *decision.base)
    return replace(decision, base=base, steps=tuple(steps), updates=find_updates(recorded, row, current.attempt))
