"""Collected results that are incomplete in the results folder by now.

The record says that results were collected once. Only the folder shows whether they are still there, and whole.
"""

from __future__ import annotations

from dataclasses import replace

from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Decision, Guard
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.steps import Collect, Delete, Note, RecordAttempt, Reuse, Step
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.subject import Subject

"""Actions beside which results may be collected again: all others see to what they end themselves."""


def collect_again(subject: Subject, decision: Decision, _context: Context) -> Decision:
    """The decision, with a new collection of the incomplete results of earlier attempts."""
    if not decision.action.is_harmless:
        return decision
    planned = {step.key for step in decision.steps if isinstance(step, Collect)}
    steps = [
        Collect(view.key, view.shown)
        for view in subject.views
        if view.missing is not None and view.is_uncollected and view.key not in planned and view.attempt.has_ended
        if view.shown is not None
    ]
    if not steps:
        return decision
    numbers = ", ".join(str(step.key.attempt) for step in steps)
    words = f"{decision.reason}; the results of attempt {numbers} are incomplete in the results folder: collected again"
    code = decision.code if planned else Reason.RESULTS_MISSING
    return replace(decision, action=Action.COLLECT, code=code, reason=words, steps=(*steps, *decision.steps))


def guard_last_copy(subject: Subject, decision: Decision, context: Context) -> Decision:
    """Refuse to delete a remote job whose results were collected, are not whole any more, and cannot be had again.

    What else is wrong with a collection ends the steps before the delete when they are carried out.
    """
    if decision.refusal is not None or context.options.discard_results:
        return decision
    ended = {step.key for step in decision.steps if isinstance(step, Delete)}
    for view in subject.views:
        if view.key in ended and view.missing is not None and view.attempt.results_lost:
            message = (
                f"{subject.name}: the results of attempt {view.key.attempt} are incomplete in the results folder"
                f" ({view.missing}), and the API no longer has them; its remote job is the last trace of them"
            )
            return replace(decision, refusal=Guard(ErrorCode.RESULTS_MISSING, message, "--discard-results"))
    return decision


def results_relied_on(plan: Plan) -> tuple[str, ...]:
    """The collected folders that a plan relies on: to be read against their hash before it is carried out.

    In their stead remote jobs are deleted, or not created at all.
    """
    found = (_relied_on(step) for job in plan.jobs for step in job.steps)
    return tuple(sorted({path for path in found if path is not None}))


def _relied_on(step: Step) -> str | None:
    match step:
        case Delete():
            return step.results
        case Reuse():
            return step.source
        case RecordAttempt() if step.note in {Note.REUSED, Note.FOUND}:
            return step.attempt.results
        case _:
            return None
