"""The decision about a remote job that has not ended: wait, or cancel it."""

from __future__ import annotations

from datetime import datetime, timedelta

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.decision import Decision, Timer
from batchctl.model.lifecycle import Lifecycle
from batchctl.model.observed import RemoteJob
from batchctl.model.reasons import Reason
from batchctl.model.states import JobState
from batchctl.model.steps import Cancel
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import BY_ORDER, wait
from batchctl.reconcile.decide.steps import next_cancel
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject, current_phase

_NOT_STARTED = frozenset({JobState.QUEUED, JobState.PENDING})


def decide_active(subject: Subject, view: AttemptView, job: RemoteJob, context: Context) -> Decision:
    """The API shows the attempt's remote job, and its end is not known."""
    if view.is_in_unknown_state:
        words = f"the API says {view.attempt.state}, which is a state that batchctl does not know"
        return wait(current_phase(subject, view), Reason.STATE_UNKNOWN, words)
    if view.attempt.cancel_time is not None:
        return _await_cancel(subject, view, job, context)
    return _decide_running(subject, view, job, context)


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


def _decide_running(subject: Subject, view: AttemptView, job: RemoteJob, context: Context) -> Decision:
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
