"""The history of a stack: how long its attempts waited and ran. Values only: no clock, no I/O.

Jobs are compared with jobs of the same account, the same model and a like size, see `size_class`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from msgspec import Struct, field

from batchctl.model.admission import QuotaKey
from batchctl.model.cost.tokens import Counted
from batchctl.model.keys import Account
from batchctl.model.percentiles import Span
from batchctl.model.states import GOOD_STATES, is_terminal

MOST_PAST = 1000
"""The newest so many attempts of removed jobs are kept in the state: about 200 kB."""
PAST_SLACK = 100
"""So many more may be there before the oldest ones are dropped: a stack of many jobs forgets them one by one."""
MOST_COMPARED = 100
"""Of each model and size, the newest so many attempts count: queues change within weeks."""


class PastAttempt(Struct, frozen=True):
    """The times of an attempt that has ended, which are kept when its job is forgotten. Times are the provider's."""

    account: Account
    remote: str
    """The resource name of its remote job."""
    model: str
    """See `short_model`."""
    rows: int | None
    """The rows of this remote job; None if they were not counted."""
    state: str
    create_time: datetime
    start_time: datetime | None
    """None if it was never seen running."""
    end_time: datetime
    counted: Counted | None = None
    """The tokens of its answers by kind; None if they are not known."""


class Spans(Struct, frozen=True):
    """The time of one attempt in each state; None where it is not known."""

    pending: Span | None = None
    """From its creation to its start."""
    running: Span | None = None
    """From its start to its end."""
    whole: Span | None = None
    """From its creation to its end, also where its start was not seen."""


class Waits(Struct, frozen=True):
    """The times of some attempts in each state, newest first."""

    pending: Sequence[Span] = ()
    running: Sequence[Span] = ()
    whole: Sequence[Span] = ()


class SizedKey(Struct, frozen=True):
    """The jobs that are compared with each other: of one account, one model and one size."""

    quota: QuotaKey
    """The account and the model."""
    size: int
    """See `size_class`."""


class History(Struct, frozen=True):
    """The times of a stack's attempts."""

    by_size: Mapping[SizedKey, Waits] = field(default_factory=dict)
    pending: Mapping[QuotaKey, Sequence[Span]] = field(default_factory=dict)
    """The times in the queue of an account and model, of jobs of every size."""

    def of(self, quota: QuotaKey, rows: int) -> Waits:
        """The times of jobs of an account and model with about so many rows."""
        return self.by_size.get(SizedKey(quota, size_class(rows)), Waits())


@lru_cache
def size_class(rows: int) -> int:
    """The class of a number of rows: the power of ten that it has, 0 for 1 to 9, 3 for 1,000 to 9,999."""
    return len(str(max(rows, 1))) - 1


def size_words(rows: int) -> str:
    """The class of a number of rows in words: `1,000 to 9,999 rows`."""
    least = 10 ** size_class(rows)
    return f"{least:,} to {10 * least - 1:,} rows"


def spans_of(
    state: str,
    create: datetime | None,
    start: datetime | None,
    end: datetime | None,
    *,
    was_pending: bool,
) -> Spans:
    """The spans of an attempt. An end without success cuts them short: it would have lasted longer.

    `was_pending`: whether an attempt that ended without a known start is known to have waited until its end.
    """
    if not is_terminal(state):
        end = None
    is_cut = state not in GOOD_STATES
    has_waited = is_cut and was_pending and start is None
    return Spans(
        pending=_span(create, end if has_waited else start, is_cut=has_waited),
        running=_span(start, end, is_cut=is_cut),
        whole=_span(create, end, is_cut=is_cut),
    )


def _span(since: datetime | None, until: datetime | None, *, is_cut: bool) -> Span | None:
    """The time between; None if one end is not known, or they are in the wrong order."""
    if since is None or until is None or until < since:
        return None
    return Span((until - since).total_seconds(), is_cut)
