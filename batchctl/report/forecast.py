"""Forecasts as members of documents."""

from __future__ import annotations

from batchctl.model.desired import Json
from batchctl.model.forecast import ExpectedEnd, JobForecast, StackForecast
from batchctl.model.percentiles import Percentiles
from batchctl.model.times import rfc3339_seconds


def forecast_fields(forecast: JobForecast | None) -> dict[str, Json] | None:
    """The forecast of a job; None for one that has ended. What the history does not show is null."""
    if forecast is None:
        return None
    stuck = forecast.stuck
    return {
        "samples": forecast.samples,
        "size": forecast.size,
        "pending": _percentiles(forecast.pending),
        "running": _percentiles(forecast.running),
        "end": _end(forecast.end),
        "unknown": forecast.unknown or None,
        "stuck": stuck is not None,
        "stuckFor": None if stuck is None else round(stuck.seconds),
    }


def stack_forecast_fields(forecast: StackForecast | None) -> dict[str, Json] | None:
    """The forecast of all jobs together; None if all have ended."""
    if forecast is None:
        return None
    return {"end": _end(forecast.end), "unknown": list(forecast.unknown), "stuck": list(forecast.stuck)}


def _percentiles(found: Percentiles) -> dict[str, Json] | None:
    """In seconds; None as long as nothing is known."""
    if found.p50 is None and found.longer_than is None:
        return None
    return {
        "p50": _seconds(found.p50),
        "p90": _seconds(found.p90),
        "longerThan": _seconds(found.longer_than),
        "samples": found.samples,
    }


def _seconds(found: float | None) -> int | None:
    return None if found is None else round(found)


def _end(end: ExpectedEnd | None) -> dict[str, Json] | None:
    if end is None:
        return None
    return {"p50": rfc3339_seconds(end.p50), "p90": None if end.p90 is None else rfc3339_seconds(end.p90)}
