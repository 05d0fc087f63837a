"""A new attempt by `--rerun NAME`: the same work is bought again, though it has succeeded."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Counted, Decision, Guard
from batchctl.model.keys import same_digest
from batchctl.model.reasons import Reason
from batchctl.model.states import Phase
from batchctl.model.steps import Create
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import rest, wait
from batchctl.reconcile.decide.retry_order import NOT_SETTLED
from batchctl.reconcile.decide.steps import collect_steps
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject, current_phase

BY_RERUN = "bought again by --rerun"


def rerun(subject: Subject, context: Context) -> Decision | None:
    """Make the attempt that was ordered; None where the job gets one anyway, or goes on with one that was not sent."""
    view = subject.counting
    attempt = view.attempt
    if subject.name not in context.options.rerun or not same_digest(attempt.digest, subject.manifest.digest):
        return None
    if attempt.is_unsent and attempt.intent is None and not attempt.rejected:
        return None
    why = _why_not(view)
    if why is not None:
        guard = Guard(ErrorCode.RETRY_REFUSED, f"{subject.name} cannot be bought again: {why}", "leave --rerun out")
        return replace(rest(current_phase(subject), Reason.RETRY_REFUSED, why), refusal=guard)
    if context.is_suspended(subject):
        return wait(Phase.WAITING, Reason.SUSPENDED, f"suspended; otherwise it would be {BY_RERUN}")
    key = subject.next_key
    return Decision(
        Action.RETRY,
        Phase.WAITING,
        Reason.RERUN_ORDERED,
        BY_RERUN,
        (*collect_steps(view), Create(key)),
        counted=Counted.CREATE,
        needs_consent=True,
        current=key.attempt,
    )


def _why_not(view: AttemptView) -> str | None:
    attempt = view.attempt
    if attempt.intent is not None:
        return NOT_SETTLED
    if attempt.rejected or attempt.is_gone or attempt.has_ended:
        return None
    return "it has not ended; `batchctl cancel` stops it"
