"""A new attempt for rows without a good answer (`retryOn: [ROWS]`)."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.decision import Decision, Timer
from batchctl.model.keys import same_digest
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowChoice, RowsToSend, RowWork
from batchctl.model.states import GOOD_STATES, JobState, Phase
from batchctl.model.steps import Create
from batchctl.reconcile.calls.backoff import delay
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import wait
from batchctl.reconcile.decide.row_choice import ROWS, own_choice
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.endings import is_unplaced, row_words, was_cancelled
from batchctl.reconcile.view.subject import Subject


def retry_rows(subject: Subject, view: AttemptView, context: Context) -> Decision | None:
    """Send the rows again that may get a good answer; None if there are none, or the manifest does not ask for it."""
    attempt, work = view.attempt, context.rows_of(subject)
    if work is None or not (work.retryable or any(work.fallbacks)) or not _is_asked(subject, view):
        return None
    choice, next_words = _choose(subject, work)
    ended = row_words(attempt)
    words = f"{ended}; {next_words}"
    if context.is_suspended(subject):
        return wait(Phase.WAITING, Reason.SUSPENDED, f"{ended}; suspended; otherwise {next_words}")
    same = (other.attempt for other in subject.attempts if same_digest(other.attempt.digest, attempt.digest))
    tries = sum(map(_has_rows, same))
    since = attempt.end_time or attempt.cancel_time or attempt.create_time
    if since is not None:
        due = since + delay(tries, attempt.token)
        if context.clock_of(attempt.account) < due:
            return wait(Phase.WAITING, Reason.BACK_OFF, f"{ended}; after back-off, {next_words}", due, Timer.BACKOFF)
    key = subject.next_key
    steps = (Create(key, rows=choice),)
    return Decision(Action.RETRY, Phase.WAITING, Reason.ROWS_RETRIED, words, steps, current=key.attempt)


def _choose(subject: Subject, work: RowWork) -> tuple[RowChoice, str]:
    """The rows that are sent next, and their number in words: first those that are sent as they are."""
    choice = own_choice(subject)
    if work.retryable:
        return replace(choice, which=RowsToSend.RETRYABLE), _words(work)
    number = next(number for number, rows in enumerate(work.fallbacks) if rows)
    choice = replace(choice, which=RowsToSend.FALLBACK, fallback=number)
    words = f"{work.fallbacks[number]:,} of {work.total:,} rows are sent by rows.fallback ({choice.sent_with})"
    return choice, words


def _is_asked(subject: Subject, view: AttemptView) -> bool:
    attempt, lifecycle = view.attempt, subject.lifecycle
    if ROWS not in lifecycle.retry_on or subject.desired is None or subject.is_cancel_requested:
        return False
    if not view.has_results or not attempt.rows.bad or is_unplaced(attempt) or attempt.is_canary:
        return False
    # A job that somebody cancelled outside of batchctl is not wanted by them.
    is_wanted = was_cancelled(attempt, CancelCause.DEADLINE) or attempt.state_name in lifecycle.retry_on
    return _has_rows(attempt) and (attempt.state != JobState.CANCELLED or is_wanted)


def _has_rows(attempt: RecordedAttempt) -> bool:
    """Whether an attempt gave results for rows: one that failed as a whole is retried by `backoffLimit`."""
    return attempt.results is not None and (attempt.state in GOOD_STATES or bool(attempt.rows.ok))


def _words(work: RowWork) -> str:
    left = f", {work.given_up:,} {_be(work.given_up)} not" if work.given_up else ""
    rows = "1 row is" if work.retryable == 1 else f"{work.retryable:,} rows are"
    return f"{rows} sent again{left}"


def _be(rows: int) -> str:
    return "is" if rows == 1 else "are"
