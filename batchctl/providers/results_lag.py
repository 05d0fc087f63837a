"""How long after the end of a job its results may still appear, on any API. Source: reference 8.1."""

from __future__ import annotations

from datetime import datetime, timedelta

_RESULTS_LAG = timedelta(hours=24)
"""Long, because concluding too early would mean paying for the results twice."""


def may_still_appear(ended: datetime | None, now: datetime) -> bool:
    """Whether missing results may still appear. `ended` is None when the end time is unknown."""
    return ended is None or now - ended < _RESULTS_LAG
