"""The rows that no attempt has sent, as far as is known: shards that were never created, or a ledger that was lost.

A job is not complete without them. Rows that were sent, and whose results the API has lost, are never bought again by
themselves.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Decision
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowsToSend
from batchctl.model.states import GOOD_STATES, Phase
from batchctl.model.steps import Create
from batchctl.model.verdicts import RowVerdict
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import wait
from batchctl.reconcile.decide.row_choice import own_choice
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.shards import has_lost_results
from batchctl.reconcile.view.subject import Subject


def send_unsent_rows(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """Send the rows that have no result of any attempt; None if there are none, or a person has to decide."""
    work = context.rows_of(subject)
    rows = 0 if work is None else work.never_sent
    if work is None or not rows or not _is_incomplete(subject, view):
        return None
    words = f"{rows:,} of {work.total:,} rows have not been sent"
    if context.is_suspended(subject):
        return wait(Phase.WAITING, Reason.SUSPENDED, f"suspended; otherwise they are sent: {words}")
    choice = replace(own_choice(subject), which=RowsToSend.NEVER_SENT)
    key = subject.next_key
    steps = (Create(key, rows=choice),)
    return Decision(Action.CREATE, Phase.WAITING, Reason.ROWS_NOT_SENT, words, steps, current=key.attempt)


def _is_incomplete(subject: Subject, view: AttemptView) -> bool:
    """Whether a success has results for a part of the rows only, and this part was not chosen."""
    attempt = view.attempt
    if subject.desired is None or subject.is_cancel_requested or not view.has_results:
        return False
    if attempt.state not in GOOD_STATES or not attempt.rows.not_sent or not _has_brought_rows(attempt):
        return False
    return not any(_is_for_a_person(part) for part in view.shards)


def _has_brought_rows(attempt: RecordedAttempt) -> bool:
    """Whether the rows of an attempt were not chosen, and one has a result: without any, others had none either."""
    sent = attempt.sent
    if sent is None or sent.again or sent.is_canary:
        return False
    return sum(sent.verdicts.values()) > sent.verdicts.get(RowVerdict.NO_RESULT, 0)


def _is_for_a_person(part: AttemptView) -> bool:
    """Whether the rows of a shard were refused, or sent and lost."""
    attempt = part.attempt
    if attempt.remote is None:
        return attempt.rejected
    return part.missing is not None or has_lost_results(attempt)
