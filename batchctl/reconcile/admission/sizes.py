"""The size of the work of each planned job, and whether the plan buys it."""

from __future__ import annotations

from msgspec.structs import replace

from batchctl.model.admission import quota_of
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.decision import Counted, Decision
from batchctl.model.desired import DesiredJob
from batchctl.model.keys import Account, same_digest
from batchctl.model.reasons import Reason
from batchctl.model.row_work import RowsToSend, RowWork
from batchctl.model.steps import Create
from batchctl.model.work_size import WorkSize, rows_sent
from batchctl.reconcile.admission.tokens import TokenRates
from batchctl.reconcile.view.subject import Subject

_HERE = frozenset({Reason.CHANGED_BACK, Reason.REUSED, Reason.ROWS_ANSWERED})
"""Reasons for which results that are here are used."""
_COUNTED = frozenset({Counted.CREATE, Counted.REPLACE})


def is_bought(decision: Decision) -> bool:
    """Whether carrying the decision out makes a new attempt, now or when it is its turn."""
    return decision.code not in _HERE and (decision.action.buys or decision.counted in _COUNTED)


def rows_to_buy(decision: Decision, work: RowWork | None) -> int | None:
    """The number of rows that a new attempt sends; None: all, or not known."""
    choices = [step.rows for step in decision.steps if isinstance(step, Create)]
    if choices and choices[0].most is not None:
        return choices[0].most
    order = choices[0].order if choices else None
    if order is not None:
        return None if work is None or work.ordered is None else work.ordered.rows
    which = choices[0].which if choices else RowsToSend.UNANSWERED
    if work is None or which is RowsToSend.ALL:
        return None
    if choices and which is RowsToSend.FALLBACK:
        return work.fallbacks[choices[0].fallback]
    if which is RowsToSend.NEVER_SENT:
        return work.never_sent
    return work.retryable if which is RowsToSend.RETRYABLE else work.to_send


def listed_rows(subject: Subject, decision: Decision) -> int | None:
    """The number of rows of the create calls, whose lists are written already; None: not all of them have one."""
    known = {view.key: view.attempt.sent for view in subject.views}
    calls = [step for step in decision.steps if isinstance(step, Create)]
    lists = [None if step.token is None else known.get(step.key) for step in calls]
    return sum(sent.rows for sent in lists if sent is not None) if lists and None not in lists else None


def with_rows_to_buy(desired: DesiredJob, decision: Decision, work: RowWork | None) -> DesiredJob:
    """The job with the bytes of the rows that a new attempt sends."""
    rows = rows_to_buy(decision, work)
    desired = replace(desired, model=model_to_send(decision) or desired.model)
    return desired if rows is None or work is None else replace(desired, input_bytes=_share(desired, rows, work.total))


def model_to_send(decision: Decision) -> str | None:
    """The model of a new attempt that is sent with another one than the manifest's; None: the manifest's."""
    changes = (step.rows.sent_with for step in decision.steps if isinstance(step, Create))
    return next((change.model for change in changes if change is not None), None)


def creates_of(subject: Subject, decision: Decision, desired: DesiredJob) -> list[DesiredJob]:
    """The job once for each of its create calls, with the bytes that the call sends where they are known."""
    sizes = {view.key: view.attempt.input_bytes for view in subject.views}
    calls = [step.key for step in decision.steps if isinstance(step, Create)]
    return [replace(desired, input_bytes=sizes.get(key) or desired.input_bytes) for key in calls]


def without_creates(decision: Decision, allowed: int) -> Decision:
    """The decision with so many of its create calls; the others wait for a later pass."""
    left = allowed
    steps = []
    for step in decision.steps:
        left -= isinstance(step, Create)
        if left >= 0 or not isinstance(step, Create):
            steps.append(step)
    return replace(decision, steps=tuple(steps))


def planned_size(subject: Subject, decision: Decision, work: RowWork | None, rates: TokenRates) -> WorkSize:
    """The size of the work that a decision buys, else of that which was bought."""
    bought = is_bought(decision)
    if work is None and not decision.steps:
        return size_of(subject, rates, bought=bought)  # nearly all jobs
    sent = None if subject.desired is None else rows_sent(subject.desired)
    total = sent if work is None else work.total
    listed = listed_rows(subject, decision)
    rows = rows_to_buy(decision, work) if listed is None else listed
    size = size_of(subject, rates, bought=bought, rows=rows, total=total)
    return replace(size, model=model_to_send(decision) or size.model)


def size_of(
    subject: Subject, rates: TokenRates, *, bought: bool, rows: int | None = None, total: int | None = None
) -> WorkSize:
    """The size of the work that is to be bought, else of that which was. `rows` of `total` rows are to be bought.

    Of rows at Cloud Storage, the total may not be known yet.
    """
    view = subject.current
    attempt = None if view is None else view.attempt
    if subject.desired is not None and bought and rows is not None:
        desired = subject.desired
        size = _share(desired, rows, total or rows)
        return WorkSize(
            desired.model, desired.provider, rows, size, _tokens(desired, size, rates), sampled_rows=_sampled(desired)
        )
    if subject.desired is not None:
        return _of_manifest(subject.desired, attempt, rates, bought=bought)
    record = subject.recorded
    model, provider = (None, None) if record is None else (record.row.model or None, record.row.provider or None)
    if attempt is None:
        return WorkSize(model, provider)
    size, counted = attempt.input_bytes, attempt.tokens
    tokens = _estimate(attempt.account, model, size, rates) if counted is None else counted
    return WorkSize(model, provider, attempt.rows.total, size, tokens, counted is not None)


def _of_manifest(desired: DesiredJob, attempt: RecordedAttempt | None, rates: TokenRates, *, bought: bool) -> WorkSize:
    rows, size = rows_sent(desired), desired.input_bytes
    if attempt is not None and same_digest(attempt.digest, desired.digest):
        rows = attempt.rows.total if rows is None else rows
        # What was counted is known of this very input, but the next attempt has yet to be counted.
        if attempt.tokens is not None and not bought:
            return WorkSize(desired.model, desired.provider, rows, size, attempt.tokens, is_counted=True)
    tokens = _tokens(desired, size, rates)
    return WorkSize(desired.model, desired.provider, rows, size, tokens, sampled_rows=_sampled(desired))


def _share(desired: DesiredJob, rows: int, total: int) -> int | None:
    """The approximate bytes of so many rows of a job."""
    return None if desired.input_bytes is None else desired.input_bytes * rows // total


def _tokens(desired: DesiredJob, size: int | None, rates: TokenRates) -> int | None:
    """The tokens of so many bytes of a job: by what the API counted for some of its rows, else by the rates."""
    if size is not None and desired.sample is not None:
        return desired.sample.tokens_of(size)
    return _estimate(desired.account, desired.model, size, rates)


def _sampled(desired: DesiredJob) -> int:
    return 0 if desired.sample is None else desired.sample.rows


def _estimate(account: Account, model: str | None, size: int | None, rates: TokenRates) -> int | None:
    return None if size is None else rates.estimate(quota_of(account, model or ""), size)
