"""Rows that have a good answer are not bought again: a new attempt sends the others.

To buy all again is `spec.runId`, `--rerun NAME`, or `rows.reuse: false`.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision
from batchctl.model.desired import DesiredJob
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowChoice, RowsToSend
from batchctl.model.states import JobState
from batchctl.model.steps import Assemble, Collect, Create, Step
from batchctl.model.work_size import can_send_rows, is_divisible
from batchctl.reconcile.decide.canary import size_of_canary
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.row_choice import (
    has_nothing_to_send,
    is_sent_as_it_is,
    may_have_answers,
    own_choice,
    work_words,
)
from batchctl.reconcile.view.endings import has_succeeded
from batchctl.reconcile.view.marks import NO_TOKEN
from batchctl.reconcile.view.subject import Subject


def choose_rows(subject: Subject, decision: Decision, context: Context) -> Decision:
    """The decision with the rows that its create call sends; without any, the results are made of earlier answers."""
    creates = [step for step in decision.steps if isinstance(step, Create) and step.rows == RowChoice()]
    is_coming = decision.action is Action.REPLACE and decision.unfinished and decision.code is Reason.WORK_CHANGED
    if not can_send_rows(subject.manifest) or not (creates or is_coming):
        # Without a list of its rows, an attempt that a person ordered is known by this number alone.
        is_ordered = bool(creates) and _is_bought_again(subject, decision)
        return replace(decision, rows_since=decision.current) if is_ordered else decision
    choice = own_choice(subject)
    if _is_bought_again(subject, decision):
        choice = replace(choice, which=RowsToSend.ALL)
        decision = replace(decision, rows_since=decision.current)
    choice = replace(choice, most=size_of_canary(subject, context))
    choice = replace(choice, as_it_is=_is_sent_as_it_is(subject, decision, choice))
    work = None if choice.which is RowsToSend.ALL else context.rows_of(subject)
    # What a lost call sent is settled by its own list.
    is_sent_again = any(step.token is not None for step in creates)
    if has_nothing_to_send(work) and creates and not is_sent_again:
        return _assembled(subject.manifest, decision, choice)
    steps = tuple(replace(step, rows=choice) if step in creates else step for step in decision.steps)
    decision = replace(decision, steps=steps)
    if choice.most is not None:
        rest = "the others follow when these have good answers"
        decision = replace(decision, reason=f"{decision.reason}; canary: {choice.most} rows first, {rest}")
    if is_divisible(subject.manifest) and work is None and choice.which is not RowsToSend.ALL:
        return replace(decision, reason=f"{decision.reason}{_unread_words(subject, choice)}")
    if work is None or is_sent_again or not (work.answered or work.retried or work.repeated):
        return decision
    if decision.code is Reason.CANARY_PASSED:
        return decision  # its reason has the numbers
    return replace(decision, reason=f"{decision.reason}; {work_words(work, work.to_send)}")


def _unread_words(subject: Subject, choice: RowChoice) -> str:
    """Words about the rows of a source at Cloud Storage that are read when they are sent."""
    attempts = (view.attempt for view in subject.views)
    if not choice.as_it_is and may_have_answers(subject.manifest, choice, attempts):
        return "; its rows are read when they are sent: those with a good answer are not bought again"
    return "; its rows are read and split when they are sent" if subject.manifest.sharding.is_asked else ""


def _is_sent_as_it_is(subject: Subject, decision: Decision, choice: RowChoice) -> bool:
    """Whether the create calls of a decision send a source at Cloud Storage without a read of its rows."""
    chosen = {view.key for view in subject.views if view.attempt.sent is not None}
    if any(isinstance(step, Collect) or (isinstance(step, Create) and step.key in chosen) for step in decision.steps):
        # Answers are about to come, or an earlier pass has chosen the rows and could not send them.
        return False
    return is_sent_as_it_is(subject.manifest, choice, (view.attempt for view in subject.views))


def _is_bought_again(subject: Subject, decision: Decision) -> bool:
    """Whether a person orders rows again that have a good answer."""
    if decision.code is Reason.RERUN_ORDERED:
        return True
    view = subject.current
    is_done = view is not None and view.attempt.is_reused and has_succeeded(view.attempt)
    return decision.code is Reason.RETRY_ORDERED and is_done


def _assembled(desired: DesiredJob, decision: Decision, choice: RowChoice) -> Decision:
    steps: tuple[Step, ...] = tuple(
        _assemble(step, desired, choice) if isinstance(step, Create) else step for step in decision.steps
    )
    news = "every row has a good answer already: nothing is bought, and results get the keys and the order of the input"
    words = f"{decision.reason}; {news}"
    used = replace(decision, steps=steps, code=Reason.ROWS_ANSWERED, reason=words)
    if not decision.action.buys or decision.action.stops:
        return used
    return replace(used, action=Action.REUSE, counted=None, needs_consent=False)


def _assemble(step: Create, desired: DesiredJob, choice: RowChoice) -> Assemble:
    attempt = RecordedAttempt(
        step.key, desired.account, desired.digest, NO_TOKEN, tree=dict(desired.tree), state=JobState.SUCCEEDED
    )
    return Assemble(attempt, choice)
