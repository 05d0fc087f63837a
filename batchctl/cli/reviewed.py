"""Approves a plan that was reviewed before: the one of a file, or the one with a digest. Refuses any other."""

from __future__ import annotations

from collections.abc import Sequence

from batchctl.cli.saved_plan import SavedPlan
from batchctl.engine.preview import Approve
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, NotYetError, UsageError
from batchctl.model.plan import Plan
from batchctl.model.plan_digest import PlanDigest
from batchctl.reconcile import Stale, find_stale

_NAMED = 5
"""Jobs that a message names; `details` of the error has all of them."""
_HINT = "`batchctl plan` shows the present plan; review that one"


def read_digest(text: str) -> PlanDigest:
    """The value of `--expect`. Raises UsageError."""
    try:
        return PlanDigest.parse(text)
    except ValueError as error:
        hint = "copy it from the output of `batchctl plan`: p1: and 64 hex digits"
        raise UsageError(f"--expect: {error}", hint=hint) from error


def only_saved(saved: SavedPlan) -> Approve:
    """Approve what a saved plan says."""

    def approve(plan: Plan) -> None:
        if (plan.stack, plan.uid) != (saved.stack, saved.uid):
            message = f"{saved.path} is a plan for stack {saved.stack} with uid {saved.uid}, and this is {plan.stack}"
            raise UsageError(f"{message} with uid {plan.uid}", hint="run it in the folder of that stack, or with -C")
        if saved.lineage not in {"", plan.lineage}:
            message = f"{saved.path} is stale: it was made with another state than the present one (another lineage)"
            raise GuardError(message, code=ErrorCode.PLAN_STALE, hint=_HINT)
        stale = find_stale(saved.terms, plan)
        if stale:
            raise _stale(saved.path, stale)

    return approve


def only_expected(expected: PlanDigest) -> Approve:
    """Approve the plan that has this digest."""

    def approve(plan: Plan) -> None:
        present = PlanDigest.of(plan)
        if expected.allows(present):
            return
        if plan.unread:
            place, problem = plan.unread[0]
            message = f"the plan cannot be compared with the reviewed one: {place}: {problem}"
            hint = "`batchctl doctor` shows what is missing" if not plan.problems else "run the command again later"
            raise NotYetError(message, hint=hint)
        raise GuardError(
            f"the plan is not the reviewed one: its digest is {present}; {_why(expected, present, plan)}",
            code=ErrorCode.PLAN_STALE,
            hint=_HINT,
            details={"expected": str(expected), "present": str(present)},
        )

    return approve


def _why(expected: PlanDigest, present: PlanDigest, plan: Plan) -> str:
    """The difference, as far as two digests show it."""
    if not expected.fits_state(present):
        return "it was made with another state (another lineage)"
    if expected.changes == present.changes:
        return "the changes are the same, and their settings differ"
    due = [f"{job.terms.change} {job.job}" for job in plan.jobs if job.terms is not None and job.terms.needs_consent]
    if not due:
        return "nothing that was reviewed is left to do; perhaps it was applied already"
    more = len(due) - _NAMED
    return f"due now: {', '.join(due[:_NAMED])}{f' and {more} more' if more > 0 else ''}"


def _stale(path: str, stale: Sequence[Stale]) -> GuardError:
    more = len(stale) - _NAMED
    words = "; ".join(f"{one.job}: {one.what}" for one in stale[:_NAMED])
    message = f"{path} is stale: {words}{f'; and {more} more jobs' if more > 0 else ''}. Nothing was changed"
    details = {"stale": [{"job": one.job, "what": one.what} for one in stale]}
    return GuardError(message, code=ErrorCode.PLAN_STALE, hint=_HINT, details=details)
