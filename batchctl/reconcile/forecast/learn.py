"""The history of a stack, from the attempts that its state records and from those of jobs that were forgotten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import TypeAlias

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

_Made: TypeAlias = RecordedAttempt | PastAttempt
"""An attempt with a remote job, ended or not, whose creation is known."""


def learn_history(recorded: Recorded) -> History:
    """The history by the record. Of each model and size, the newest attempts count."""
    found: dict[tuple[Account, str], dict[int | None, list[_Made]]] = defaultdict(lambda: defaultdict(list))
    for model, rows, made in _all_made(recorded):
        found[made.account, model][None if rows is None else size_class(rows)].append(made)
    by_size: dict[SizedKey, Waits] = {}
    pending: dict[QuotaKey, Sequence[Span]] = {}
    for (account, model), sizes in found.items():
        key = QuotaKey(account, model)
        waits = {size: _waits(made) for size, made in sizes.items()}
        by_size |= {SizedKey(key, size): one for size, one in waits.items() if size is not None}
        only = next(iter(waits.values())) if len(waits) == 1 else _waits(list(chain.from_iterable(sizes.values())))
        pending[key] = only.pending
    return History(by_size, pending)


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


def _all_made(recorded: Recorded) -> Iterator[tuple[str, int | None, _Made]]:
    """The attempts with their model and their rows."""
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            if attempt.remote is not None and attempt.create_time is not None:
                yield model_of(attempt, job.row.model), rows_of(attempt), attempt
    if not recorded.history:
        return
    every = (attempt for job in recorded.jobs.values() for attempt in job.attempts)
    seen = {(attempt.account, attempt.remote) for attempt in every if attempt.create_time is not None}
    for past in recorded.history:
        if (past.account, past.remote) not in seen:
            yield past.model, past.rows, past


def _was_pending(made: _Made) -> bool:
    """See `spans_of`."""
    by_deadline = isinstance(made, RecordedAttempt) and made.cancel_cause is CancelCause.DEADLINE
    return by_deadline or CAPABILITIES[made.account.api].start_time


def _waits(found: list[_Made]) -> Waits:
    newest = sorted(found, key=attrgetter("create_time"), reverse=True)
    pending: list[Span] = []
    running: list[Span] = []
    whole: list[Span] = []
    for one in newest:
        if one.end_time is None and len(pending) == MOST_COMPARED:
            continue  # nearly all of many jobs at work: they tell only how long they waited
        times = one.create_time, one.start_time, one.end_time
        spans = spans_of(one.state or "", *times, was_pending=_was_pending(one))
        for kept, span in ((pending, spans.pending), (running, spans.running), (whole, spans.whole)):
            if span is not None and len(kept) < MOST_COMPARED:
                kept.append(span)
    return Waits(tuple(pending), tuple(running), tuple(whole))
