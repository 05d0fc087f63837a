"""The history of a stack, from the attempts that its state records and from those of jobs that were forgotten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from batchctl.model.admission import QuotaKey, short_model
from batchctl.model.attempts import CancelCause, RecordedAttempt
from batchctl.model.capabilities import CAPABILITIES
from batchctl.model.history import (
    MOST_COMPARED,
    MOST_PAST,
    PAST_SLACK,
    History,
    PastAttempt,
    SizedKey,
    Waits,
    size_class,
    spans_of,
)
from batchctl.model.keys import Account
from batchctl.model.percentiles import Span
from batchctl.model.recorded import Recorded


class _Times(Struct, frozen=True):
    """One attempt with a remote job, ended or not."""

    key: QuotaKey
    rows: int | None
    state: str
    create: datetime
    start: datetime | None
    end: datetime | None
    was_pending: bool
    """See `spans_of`."""


def learn_history(recorded: Recorded) -> History:
    """The history by the record. Of each model and size, the newest attempts count."""
    by_size: dict[SizedKey, list[_Times]] = defaultdict(list)
    by_model: dict[QuotaKey, list[_Times]] = defaultdict(list)
    for one in _all_times(recorded):
        by_model[one.key].append(one)
        if one.rows is not None:
            by_size[SizedKey(one.key, size_class(one.rows))].append(one)
    return History(
        {key: _waits(found) for key, found in by_size.items()},
        {key: _waits(found).pending for key, found in by_model.items()},
    )


def past_of(attempts: Iterable[RecordedAttempt], model: str) -> list[PastAttempt]:
    """The times to keep of attempts that are about to be forgotten. `model` is that of their job's row."""
    return [
        PastAttempt(
            attempt.account,
            attempt.remote,
            model_of(attempt, model),
            rows_of(attempt),
            attempt.state,
            attempt.create_time,
            attempt.start_time,
            attempt.end_time,
            attempt.counted,
        )
        for attempt in attempts
        if attempt.remote is not None
        and attempt.state is not None
        and attempt.has_ended
        and attempt.create_time is not None
        and attempt.end_time is not None
    ]


def too_old(past: Collection[PastAttempt]) -> list[PastAttempt]:
    """Those to drop: none as long as there are few more than the number that is kept."""
    if len(past) <= MOST_PAST + PAST_SLACK:
        return []
    newest = sorted(past, key=lambda one: (one.end_time, one.account, one.remote), reverse=True)
    return newest[MOST_PAST:]


def model_of(attempt: RecordedAttempt, model: str | None) -> str:
    """The model of an attempt. That of its job's row may have changed since."""
    return short_model(str(attempt.tree.get("model") or model or ""))


def rows_of(attempt: RecordedAttempt) -> int | None:
    """The rows of an attempt's remote job. The counts of its results may be those of the whole job."""
    return attempt.rows.total if attempt.sent is None else attempt.sent.rows


def _all_times(recorded: Recorded) -> Iterator[_Times]:
    seen = set()
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            if attempt.remote is not None and attempt.create_time is not None:
                seen.add((attempt.account, attempt.remote))
                yield _Times(
                    QuotaKey(attempt.account, model_of(attempt, job.row.model)),
                    rows_of(attempt),
                    attempt.state or "",
                    attempt.create_time,
                    attempt.start_time,
                    attempt.end_time,
                    _reports_start(attempt.account) or attempt.cancel_cause is CancelCause.DEADLINE,
                )
    for past in recorded.history:
        if (past.account, past.remote) not in seen:
            key = QuotaKey(past.account, past.model)
            was_pending = _reports_start(past.account)
            yield _Times(key, past.rows, past.state, past.create_time, past.start_time, past.end_time, was_pending)


def _reports_start(account: Account) -> bool:
    return CAPABILITIES[account.api].start_time


def _waits(found: list[_Times]) -> Waits:
    newest = sorted(found, key=lambda one: one.create, reverse=True)
    pending: list[Span] = []
    running: list[Span] = []
    whole: list[Span] = []
    for one in newest:
        if one.end is None and len(pending) == MOST_COMPARED:
            continue  # nearly all of many jobs at work: they tell only how long they waited
        spans = spans_of(one.state, one.create, one.start, one.end, was_pending=one.was_pending)
        for kept, span in ((pending, spans.pending), (running, spans.running), (whole, spans.whole)):
            if span is not None and len(kept) < MOST_COMPARED:
                kept.append(span)
    return Waits(tuple(pending), tuple(running), tuple(whole))
