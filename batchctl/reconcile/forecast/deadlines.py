"""Deadlines that are shorter than what jobs like theirs took: such a job is most likely cancelled, and paid for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from msgspec import Struct

from batchctl.model.admission import QuotaKey, quota_of
from batchctl.model.desired import DesiredJob
from batchctl.model.durations import duration_text
from batchctl.model.history import History, size_class, size_words
from batchctl.model.keys import Account
from batchctl.model.percentiles import Span, percentiles_of
from batchctl.model.work_size import rows_sent


class ShortDeadline(Struct, frozen=True):
    """A deadline of a job that more than one in ten attempts like it would have missed."""

    job: DesiredJob
    field: str
    """Of `spec.lifecycle`."""
    words: str
    """The deadline, and how long attempts took."""
    hint: str


def find_short_deadlines(jobs: Iterable[DesiredJob], history: History) -> tuple[ShortDeadline, ...]:
    """The deadlines below p90 of the history. Jobs whose rows are not known are left out."""
    known: dict[tuple[Account, str, int, timedelta | None, timedelta | None], tuple[_Short, ...]] = {}
    found: list[ShortDeadline] = []
    for job in jobs:
        rows = _rows(job)
        if rows is None:
            continue
        lifecycle = job.lifecycle
        pending, active = lifecycle.pending_deadline, lifecycle.active_deadline
        like = job.account, job.model, size_class(rows), pending, active
        short = known.get(like)
        if short is None:
            key = quota_of(job.account, job.model)
            short = known[like] = tuple(_of_jobs_like(_Like(key, like[2], pending, active), rows, history))
        if short:
            found += [ShortDeadline(job, one.field, one.words, one.hint) for one in short]
    return tuple(found)


class _Like(Struct, frozen=True):
    """Jobs whose deadlines are compared with the same attempts."""

    key: QuotaKey
    size: int
    pending: timedelta | None
    active: timedelta | None


class _Short(Struct, frozen=True):
    """A deadline of such jobs, see `ShortDeadline`."""

    field: str
    words: str
    hint: str


def _rows(job: DesiredJob) -> int | None:
    """The rows of each of its remote jobs: of a job that is split, each shard has the deadline."""
    rows = rows_sent(job)
    return rows if rows is None or job.sharding.rows is None else min(rows, job.sharding.rows)


def _of_jobs_like(like: _Like, rows: int, history: History) -> Iterator[_Short]:
    waits = history.of(like.key, rows)
    cases = (
        ("pendingDeadline", like.pending, waits.pending, "waited"),
        ("activeDeadline", like.active, waits.running, "ran"),
    )
    for field, deadline, spans, verb in cases:
        least = None if deadline is None else _least(spans, deadline)
        if deadline is None or least is None:
            continue
        longer = sum(span.seconds > deadline.total_seconds() or _is_stopped(span, deadline) for span in spans)
        words = (
            f"lifecycle.{field} is {duration_text(deadline)}, but {longer} of {len(spans)} attempts of"
            f" {like.key.model} with {size_words(rows)} {verb} for longer"
        )
        hint = "a job at its deadline is cancelled, and what it answered by then is paid for"
        yield _Short(field, words, f"{hint}; set {field} above {duration_text(least)}")


def _least(spans: Sequence[Span], deadline: timedelta) -> timedelta | None:
    """The time that nine of ten took at most, or one that it is known to exceed; None if the deadline allows it."""
    known, seconds = percentiles_of(spans), deadline.total_seconds()
    if known.p90 is not None:
        return timedelta(seconds=known.p90) if seconds < known.p90 else None
    longer = known.longer_than
    return timedelta(seconds=longer) if longer is not None and seconds <= longer else None


def _is_stopped(span: Span, deadline: timedelta) -> bool:
    """Whether an attempt was cut short at the deadline or after it: it would have taken longer."""
    return span.is_cut and span.seconds >= deadline.total_seconds()
