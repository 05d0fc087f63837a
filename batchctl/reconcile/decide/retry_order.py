"""A new attempt that a person orders (`batchctl retry`), whatever `retryOn` and `backoffLimit` say.

The record keeps the order, so that it outlasts a full queue, a suspension and a pass that could not read the account.
"""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.actions import Action
from batchctl.model.codes import ErrorCode
from batchctl.model.decision import Decision, Guard
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import same_digest
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowOrder
from batchctl.model.sources import AwaitedRows
from batchctl.model.states import Phase
from batchctl.model.steps import Create, Step
from batchctl.model.work_size import can_send_rows
from batchctl.reconcile.decide.canary import has_failed_canary
from batchctl.reconcile.decide.context import Context
from batchctl.reconcile.decide.decision import rest, wait, wait_until_seen
from batchctl.reconcile.decide.row_choice import own_choice
from batchctl.reconcile.decide.row_order import ordered_words, why_no_such_rows
from batchctl.reconcile.decide.steps import collect_steps
from batchctl.reconcile.decide.unseen import find_unseen
from batchctl.reconcile.view.attempt_view import AttemptView
from batchctl.reconcile.view.endings import has_succeeded
from batchctl.reconcile.view.subject import Subject, current_phase

NOT_SETTLED = "its create call is not settled yet; `batchctl apply` continues"


def refuse_retry(subject: Subject, context: Context) -> Decision:
    """Refuse `batchctl retry` for a job that can have no new attempt."""
    reason = why_no_retry(subject, context)
    assert reason is not None
    message = f"{subject.name} cannot be retried: {reason}"
    guard = Guard(ErrorCode.RETRY_REFUSED, message, f"`batchctl explain {subject.name}` shows its phase and the reason")
    return replace(rest(current_phase(subject), Reason.RETRY_REFUSED, reason), refusal=guard)


def why_no_retry(subject: Subject, context: Context) -> str | None:
    """Why `batchctl retry` cannot order a new attempt; None when it can."""
    if subject.desired is None:
        return "no manifest describes it any more"
    if subject.current is None:
        return "it was never created; `batchctl apply` creates it"
    attempt, order = subject.current.attempt, context.options.retry_rows
    if context.options.accept_canary and not has_failed_canary(subject):
        return "it has no failed canary to accept"
    why = why_no_new_attempt(subject.current, subject.desired, order)
    is_sent_later = attempt.is_unsent and not attempt.rejected and not subject.is_cancel_requested
    if why is None and is_sent_later:
        return NOT_SETTLED
    if why is None and subject.recorded is None:
        return "it is not in the state yet; `batchctl apply` adopts it"
    if why is None and order is not None:
        return why_no_such_rows(subject, order, context.rows_of(subject))
    return why


def follow_retry_order(subject: Subject, context: Context) -> Decision | None:
    """Make the attempt that was ordered; None where nothing was, or it cannot be made now."""
    view = subject.counting
    is_ordered = subject.recorded is not None and subject.recorded.row.retry_requested is not None
    if not is_ordered or subject.name in context.options.rerun:
        return None
    order = subject.record.row.retry_rows
    why_not = why_no_new_attempt(view, subject.manifest, order)
    if why_not is not None:
        is_hidden = find_unseen(view) is not None and view.attempt.has_ended
        words = f"`batchctl retry` waits: {why_not}"
        return wait_until_seen(Phase.WAITING, Reason.UNSEEN, words) if is_hidden else None
    if context.is_suspended(subject):
        return wait(Phase.WAITING, Reason.SUSPENDED, "suspended; otherwise `batchctl retry` would make a new attempt")
    key, words, create = subject.next_key, "tried again by `batchctl retry`", Create(subject.next_key)
    if order is not None:
        words = f"{words} --rows {order}{ordered_words(context.rows_of(subject))}"
        create = replace(create, rows=replace(own_choice(subject), order=order))
    steps: tuple[Step, ...] = (*collect_steps(view), create)
    return Decision(Action.RETRY, Phase.WAITING, Reason.RETRY_ORDERED, words, steps, current=key.attempt)


def why_no_new_attempt(view: AttemptView, desired: DesiredJob, order: RowOrder | None) -> str | None:
    """Why no new attempt can follow this one by order, with the way out; None when one can.

    After success only an order of certain rows can follow, or one of the rows without a good answer.
    """
    attempt = view.attempt
    if isinstance(desired.source, AwaitedRows):
        return f"its rows are made from the answers of {desired.source.chain.job}, which are not here yet"
    if not same_digest(attempt.digest, desired.digest):
        return "its manifest has changed; `batchctl apply` follows the change"
    if attempt.rejected:
        return None
    if attempt.intent is not None:
        return NOT_SETTLED
    unseen = find_unseen(view)
    if unseen is not None:
        return f"it cannot be seen now: {unseen.reason}"
    if view.is_present and not attempt.has_ended:
        return "it has not ended; `batchctl cancel` stops it"
    lost = not view.has_results and (attempt.results_lost or not view.is_present)
    is_done = has_succeeded(attempt) and not lost and not attempt.is_reused
    if is_done and order is None and not _has_rows_to_retry(view, desired):
        return (
            f"it has succeeded; change spec.runId or use `batchctl apply --rerun {desired.name}` to run it again,"
            " or name rows with `--rows`"
        )
    return None


def _has_rows_to_retry(view: AttemptView, desired: DesiredJob) -> bool:
    """Whether a new attempt would send only rows without a good answer: the results have some, and a ledger."""
    attempt = view.attempt
    has_ledger = can_send_rows(desired) and desired.row_settings.reuse and attempt.sent is not None
    return has_ledger and view.has_results and attempt.rows.bad > 0
