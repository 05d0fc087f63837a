"""What a create call that was refused for quota (429) teaches, and one that got through.

No API names its quota in numbers that hold, so it is learned: a refusal takes a quarter off what was at work, a success
adds one, and so does time, for a quota that is never tried again would never be known to have grown.
Source: reference chapter 9 (429 on create, mostly without a wait), chapter 10 (limits that change).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from batchctl.model.admission import Quota, QuotaKey
from batchctl.reconcile.backoff import delay

GROWTH = timedelta(minutes=5)
"""How long after a refusal, and each further time, one more job is tried."""
LONGEST_WAIT = timedelta(days=1)
"""The longest wait that an API may ask for."""
_KEPT = 3
_OF = 4


def after_refusal(
    before: Quota | None, key: QuotaKey, *, live: int, sent: datetime, now: datetime, retry_after: float | None
) -> Quota:
    """What is known after a refusal. `live`: how many jobs of the model were at work then; `retry_after`: seconds.

    Calls that were under way when the last refusal came tell nothing new: many of them are one lesson.
    """
    asked = None if retry_after is None else now + timedelta(seconds=min(retry_after, LONGEST_WAIT.total_seconds()))
    if before is not None and sent <= before.refused_time:
        return before if asked is None else replace(before, retry_time=max(before.retry_time, asked))
    refusals = 1 if before is None else before.refusals + 1
    pause = now + delay(refusals, f"{key.account} {key.model}")
    return Quota(key, max(1, live * _KEPT // _OF), now, asked or pause, refusals)


def after_success(before: Quota | None, *, sent: datetime) -> Quota | None:
    """What is known after a create call that got through; None when nothing was ever learned."""
    if before is None or sent <= before.refused_time:
        return before
    return replace(before, limit=before.limit + 1, refusals=0)


def limit_now(quota: Quota, clock: datetime) -> int:
    """How many jobs at once the API is taken to allow at this time."""
    return quota.limit + max(0, (clock - quota.refused_time) // GROWTH)


def next_growth(quota: Quota, live: int) -> datetime:
    """When so many jobs will be below the limit, if nothing else happens."""
    return quota.refused_time + GROWTH * (live + 1 - quota.limit)
