"""A new attempt by `--rerun NAME`: the same work is bought again, though it has succeeded."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import same_digest
from batchctl.model.plan import Action, Create, Guard
from batchctl.model.reasons import Reason
from batchctl.model.states import is_terminal
from batchctl.reconcile.decide.decision import (
    Context,
    Counted,
    Decision,
    Subject,
    collect_steps,
    is_held,
    rest,
    stand,
    wait,
)
from batchctl.reconcile.decide.retry_order import NOT_SETTLED
from batchctl.reconcile.view.attempts import AttemptView
from batchctl.reconcile.view.phases import WANTED

BY_RERUN = "bought again by --rerun"


def rerun(subject: Subject, desired: DesiredJob, view: AttemptView, context: Context) -> Decision | None:
    """The new attempt that was ordered; None where the job gets one anyway, or goes on with one that was not sent."""
    attempt = view.attempt
    if not same_digest(attempt.digest, desired.digest):
        return None
    if attempt.is_unsent and attempt.intent is None and not attempt.rejected:
        return None
    why = _why_not(view)
    if why is not None:
        guard = Guard(ErrorCode.RETRY_REFUSED, f"{subject.name} cannot be bought again: {why}", "leave --rerun out")
        return replace(rest(stand(subject), Reason.RETRY_REFUSED, why), refusal=guard)
    if is_held(desired.lifecycle, context):
        return wait(WANTED, Reason.SUSPENDED, f"suspended, or it would be {BY_RERUN}")
    key = subject.next_key
    return Decision(
        Action.RETRY,
        WANTED,
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
    if attempt.rejected or attempt.is_gone or is_terminal(attempt.state or ""):
        return None
    return "it has not ended: `batchctl cancel` stops it"
