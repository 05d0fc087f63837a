"""How long results may be behind the end of their job, on any API. Source: reference 8.1."""

from __future__ import annotations

from datetime import datetime, timedelta

_RESULTS_LAG = timedelta(hours=24)
"""Long, for nobody buys them twice."""


def may_still_come(ended: datetime | None, now: datetime) -> bool:
    """Whether results that are not there may yet appear; None: nobody knows when the job ended."""
    return ended is None or now - ended < _RESULTS_LAG
