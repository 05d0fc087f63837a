"""Quotas, as learned from create calls that were refused (429) and from those that got through.

No API names its quota in numbers that hold, so it is learned: a refusal takes a quarter off what was at work, a success
adds one, and so does time, for a quota that is never tried again would never be known to have grown. Time counts in
pauses: the one that the API asked for, or else the back-off, so that a short pause is not followed by a long wait.
Source: reference chapter 9 (429 on create, mostly without a wait), chapter 10 (limits that change).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from batchctl.model.admission import Quota, QuotaKey
from batchctl.reconcile.calls.backoff import delay

LONGEST_STEP = timedelta(minutes=5)
"""One more job is tried after each such time at the latest, however long the pause was."""
SHORTEST_STEP = timedelta(seconds=1)
LONGEST_WAIT = timedelta(days=1)
"""The longest wait that an API may ask for."""
_KEPT = 3
_OF = 4


def after_refusal(
    before: Quota | None, key: QuotaKey, *, live: int, late: bool, now: datetime, retry_after: float | None
) -> Quota:
    """The quota after a refusal. `live`: how many jobs of the model were at work then, calls under way included.

    `retry_after`: seconds that the API asked to wait. It is taken at its word once; the further refusals in a row wait
    no less than the back-off. `late`: the call was under way when the last refusal came. Such ones tell nothing new:
    many of them are one lesson.
    """
    asked = None if retry_after is None else now + timedelta(seconds=min(retry_after, LONGEST_WAIT.total_seconds()))
    if before is not None and late:
        return before if asked is None else replace(before, retry_time=max(before.retry_time, asked))
    refusals = 1 if before is None else before.refusals + 1
    pause = now + delay(refusals, f"{key.account} {key.model}")
    if asked is not None:
        pause = asked if refusals == 1 else max(asked, pause)
    return Quota(key, max(1, live * _KEPT // _OF), now, pause, refusals)


def after_success(before: Quota | None, *, live: int, late: bool) -> Quota | None:
    """The quota after a create call that got through; None when nothing was ever learned.

    `live`: how many jobs of the model are at work with this one. A call that was under way when another was refused
    (`late`) does not undo that refusal, but the API did take so many.
    """
    if before is None:
        return None
    if late:
        return replace(before, limit=max(before.limit, live))
    return replace(before, limit=before.limit + 1, refusals=0)


def limit_now(quota: Quota, clock: datetime) -> int:
    """The number of active jobs that the API is assumed to allow at this time."""
    return quota.limit + max(0, (clock - quota.refused_time) // _step(quota))


def next_try(quota: Quota, live: int) -> datetime:
    """When one job more than so many may be tried, if nothing else happens."""
    return max(quota.retry_time, quota.refused_time + _step(quota) * (live + 1 - quota.limit))


def _step(quota: Quota) -> timedelta:
    """The pause after a refusal, and after each further job, before one more job is tried."""
    return min(max(quota.retry_time - quota.refused_time, SHORTEST_STEP), LONGEST_STEP)
