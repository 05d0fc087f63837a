"""Forecasts as members of documents, and in words."""

from __future__ import annotations

from datetime import datetime

from batchctl.model.durations import in_units
from batchctl.model.forecast import ExpectedEnd, JobForecast, StackForecast
from batchctl.model.json_value import Json
from batchctl.model.percentiles import Percentiles
from batchctl.model.plan import JobPlan
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


def ends_in(end: ExpectedEnd | None, now: datetime) -> str:
    """The time until something ends, for a cell: `in 2h10m to 9h`, `in 2h10m` where p90 is unknown, else `?`."""
    if end is None:
        return "?"
    soon = f"in {_until(end.p50, now)}"
    late = None if end.p90 is None else _until(end.p90, now)
    return soon if late is None or soon == f"in {late}" else f"{soon} to {late}"


def end_words(end: ExpectedEnd, now: datetime | None) -> str:
    """The end of something, for a sentence, with the time until then if `now` is known.

    Such as `about 2026-11-22T14:05:00Z (in 2h10m), in nine of ten cases by 2026-11-22T18:00:00Z (in 6h5m)`.
    """
    soon, late = _moment(end.p50, now), None if end.p90 is None else _moment(end.p90, now)
    return f"about {soon}" if late is None or late == soon else f"about {soon}, in nine of ten cases by {late}"


def forecast_words(forecast: JobForecast, now: datetime | None) -> str:
    """When a job ends, for people, or why that is not known."""
    if forecast.end is None:
        return f"unknown: {forecast.unknown}"
    return f"{end_words(forecast.end, now)}; as {forecast.samples} attempts with {forecast.size}"


def _moment(time: datetime, now: datetime | None) -> str:
    return rfc3339_seconds(time) if now is None else f"{rfc3339_seconds(time)} (in {_until(time, now)})"


def stuck_way_out(plan: JobPlan) -> str:
    """The remedy for a job that is stuck."""
    pending = plan.forecast is not None and plan.forecast.stuck is not None and plan.forecast.stuck.state == "PENDING"
    field = "pendingDeadline" if pending else "activeDeadline"
    return (
        f"`batchctl cancel {plan.job}` and then `batchctl retry {plan.job}` start it again; lifecycle.{field} with"
        " backoffLimit does so by itself"
    )


def _until(end: datetime, now: datetime) -> str:
    return in_units(max(0, int((end - now).total_seconds())), 2)


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
