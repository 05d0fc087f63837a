"""Results that are not in the results folder: incomplete by now, or never collected.

The record says that results were collected once. Only the folder shows whether they are still there, and whole. After
a loss of the state and the folder, earlier attempts are found at the API with their results.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Decision, Guard
from batchctl.model.keys import same_digest
from batchctl.model.plan import Plan
from batchctl.model.reasons import Reason
from batchctl.model.states import JobState
from batchctl.model.steps import Collect, Delete, Note, RecordAttempt, Reuse, Step
from batchctl.model.work_size import rows_sent
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.subject import Subject


def collect_again(subject: Subject, decision: Decision, context: Context) -> Decision:
    """The decision, with the collection of results of earlier attempts that are at the API, and not here.

    They come before a new attempt, which sends no row that has an answer there. Other actions collect what they end.
    """
    is_next = decision.action.buys and not decision.action.stops
    if not (decision.action.is_harmless or is_next):
        return decision
    planned = {step.key for step in decision.steps if isinstance(step, Collect)}
    found = [view for view in subject.views if view.key not in planned and _is_to_collect(subject, view, context)]
    steps = [Collect(view.key, view.shown) for view in found if view.shown is not None]
    if not steps:
        return decision
    numbers = ", ".join(dict.fromkeys(str(step.key.attempt) for step in steps))
    is_incomplete = any(view.missing is not None for view in found)
    news = "are incomplete in the results folder: collected again" if is_incomplete else "are not collected yet"
    words = f"{decision.reason}; the results of attempt {numbers} {news}"
    every: tuple[Step, ...] = (*steps, *decision.steps)
    if is_next:
        return replace(decision, reason=words, steps=every)
    code = decision.code if planned else (Reason.RESULTS_MISSING if is_incomplete else Reason.NOT_COLLECTED)
    return replace(decision, action=Action.COLLECT, code=code, reason=words, steps=every)


def _is_to_collect(subject: Subject, view: AttemptView, context: Context) -> bool:
    attempt = view.attempt
    if not view.is_uncollected or not attempt.has_ended or view.shown is None:
        return False
    if view.missing is not None:
        return True
    if context.options.discard_results:
        return False
    # The attempt that counts is collected as its own decision says.
    return not subject.is_current(view) and _has_wanted_rows(subject, attempt) and not _is_put_off(attempt, context)


def _has_wanted_rows(subject: Subject, attempt: RecordedAttempt) -> bool:
    """Whether answers of an attempt count for the manifest: they are not bought again."""
    desired = subject.desired
    if desired is None or not desired.row_settings.reuse or rows_sent(desired) is None:
        return False
    return same_digest(attempt.digest, desired.digest) and attempt.state != JobState.FAILED


def _is_put_off(attempt: RecordedAttempt, context: Context) -> bool:
    due = None if attempt.trouble is None else attempt.trouble.next_time
    return due is not None and context.clock_of(attempt.account) < due


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
