"""The outcome of a job whose steps are done, as its plan decides it: done, pending, or refused."""

from __future__ import annotations

from batchctl.model.actions import Action
from batchctl.model.errors import BatchctlError, GuardError, NotYetError
from batchctl.model.outcome import Outcome, Result
from batchctl.model.plan import JobPlan
from batchctl.model.reasons import Reason

_WAYS_OUT = {
    Reason.QUOTA: "`batchctl watch` creates it as soon as there is capacity",
    Reason.BUDGET: "raise the limit in the stack file, or run `batchctl apply --budget-increase AMOUNT`",
    Reason.REFUSED_FOR_NOW: "`batchctl watch` tries it again; `batchctl explain NAME` says until when",
    Reason.SETTLING: "`batchctl apply` or `watch` continues to look for its remote job; nothing is bought twice",
    Reason.UNSEEN: "`batchctl apply` creates it as soon as its account can be read",
}
"""Reasons of a wait for which a create call could not be made or answered yet, with the way out."""


def outcome_of(job: JobPlan, remote: str | None) -> Outcome:
    """The outcome of a job with all of its steps done; `remote` is its current remote job."""
    if job.guard is not None:
        refusal = GuardError(job.guard.message, code=job.guard.code, hint=job.guard.way_out)
        # An adoption itself is never refused, only what would follow from it.
        result = Result.DONE if job.action is Action.ADOPT else Result.SKIPPED
        return Outcome(job.job, result, remote, refusal)
    if _is_pending(job):
        return Outcome(job.job, Result.PENDING, remote, _why_not_yet(job))
    return Outcome(job.job, Result.DONE, remote)


def _is_pending(job: JobPlan) -> bool:
    if job.action is Action.UPDATE:
        # Beside settings that were recorded, an approved change may wait for its turn.
        return job.needs_consent
    return job.unfinished or job.action is Action.WAIT


def _why_not_yet(job: JobPlan) -> BatchctlError | None:
    """The error of a create call that the API keeps from being made or answered; None for every other wait."""
    is_made = job.remote is not None
    if job.code not in _WAYS_OUT or (is_made and job.code is Reason.UNSEEN):
        return None
    attempt = None if is_made else job.attempt
    said = None if attempt is None else attempt.error
    message = job.reason if said is None or said.message in job.reason else f"{job.reason}: {said.message}"
    trouble = None if attempt is None else attempt.trouble
    if trouble is not None and trouble.hint:
        return NotYetError(message, code=trouble.code, hint=trouble.hint)
    return NotYetError(message, hint=_WAYS_OUT[job.code])
