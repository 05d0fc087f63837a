"""The decision that `batchctl retry` asks for: order a new attempt, or say why there can be none."""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.codes import ErrorCode
from batchctl.model.plan import Guard, RecordJob
from batchctl.model.reasons import Reason
from batchctl.model.recorded import RecordedJob
from batchctl.reconcile.decide.decision import (
    Context,
    Counted,
    Decision,
    Subject,
    is_cancel_requested,
    rest,
    stand,
)
from batchctl.reconcile.decide.desired import decide_wanted
from batchctl.reconcile.decide.retry_order import NOT_SETTLED, why_not_again


def decide_retry(subject: Subject, context: Context) -> Decision:
    """The new attempt as an order of the user, which counts as a create and has to be agreed to."""
    recorded, desired = subject.recorded, subject.desired
    why = _why_not(subject)
    if why is not None or recorded is None or desired is None:
        reason = why or "it is not in the state yet: `batchctl apply` takes it in"
        message = f"{subject.name} cannot be tried again: {reason}"
        seen = tuple(step for view in subject.views for step in view.steps) if recorded is not None else ()
        guard = Guard(ErrorCode.RETRY_REFUSED, message, f"`batchctl explain {subject.name}` says how it stands")
        return replace(rest(stand(subject), Reason.RETRY_REFUSED, reason), base=seen, refusal=guard)
    ordered: RecordedJob = replace(recorded, retry_requested=context.now, cancel_requested=None)
    decision = decide_wanted(replace(subject, recorded=ordered), desired, context)
    order = RecordJob(replace(ordered, attempts=()))
    return replace(decision.before(order), needs_consent=True, counted=Counted.CREATE)


def _why_not(subject: Subject) -> str | None:
    if subject.desired is None:
        return "no manifest describes it any more"
    if subject.current is None:
        return "it was never created: `batchctl apply` creates it"
    attempt = subject.current.attempt
    why = why_not_again(subject.current, subject.desired)
    is_sent_later = attempt.is_unsent and not attempt.rejected and not is_cancel_requested(subject)
    return NOT_SETTLED if why is None and is_sent_later else why
