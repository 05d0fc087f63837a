"""A job whose attempts are the history of a stack: how long each waited and ran."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from batchctl.model.attempts import RecordedAttempt
from batchctl.model.observed import RowCounts
from batchctl.model.recorded import RecordedJob
from tests.support.decisions import HOUR, NOW, attempt, job, row

MINUTE = timedelta(minutes=1)
TENS = tuple((one * MINUTE, one * HOUR) for one in range(1, 11))
"""Ten attempts that waited 1 to 10 minutes and ran 1 to 10 hours."""


def past_attempt(
    number: int, pending: timedelta | None, running: timedelta, *, rows: int = 10, **fields: Any
) -> RecordedAttempt:
    """An attempt that ended two days ago, and waited and ran for so long; a start of None was not seen."""
    end = NOW - timedelta(days=2)
    start = end - running
    create = start if pending is None else start - pending
    given = {
        "state": "SUCCEEDED",
        "results": f"past/{number}",
        "rows": RowCounts(rows, rows, 0),
        "create_time": create,
        "start_time": None if pending is None else start,
        "end_time": end,
        **fields,
    }
    return attempt(number, name="past", **given)


def past_job(*attempts: RecordedAttempt) -> RecordedJob:
    """The job that made these attempts; it has no manifest any more, and is released."""
    return row(job("past"), *attempts, released_time=NOW - HOUR)


def history(times: Iterable[tuple[timedelta | None, timedelta]] = TENS, **fields: Any) -> RecordedJob:
    """The job whose attempts took so long in each state."""
    made = (past_attempt(number, *one, **fields) for number, one in enumerate(times, start=1))
    return past_job(*made)
