"""Numbers of the forecasts of a plan: jobs that take longer than others did, and when all have ended."""

from __future__ import annotations

from collections import Counter

from batchctl.model.percentiles import Percentiles
from batchctl.model.plan import JobPlan, Plan
from batchctl.model.states import JobState

_STATES = ("pending", "running")


def over_p90(plan: Plan) -> dict[tuple[str, ...], int]:
    """By state, the jobs that have been in it for longer than the 90th percentile. Unknown is not longer."""
    found: Counter[str] = Counter()
    for job in plan.jobs:
        state = _late_in(job, plan)
        if state is not None:
            found[state] += 1
    return {(state,): found[state] for state in _STATES}


def stuck(plan: Plan) -> dict[tuple[str, ...], int]:
    """By state, the jobs that are stuck in it."""
    forecasts = [job.forecast for job in plan.jobs if job.forecast is not None]
    found = Counter(one.stuck.state.lower() for one in forecasts if one.stuck is not None)
    return {(state,): found[state] for state in _STATES}


def expected_end(plan: Plan) -> dict[tuple[str, ...], float]:
    """When all jobs have ended, as Unix times; only what is known."""
    end = None if plan.forecast is None else plan.forecast.end
    if end is None:
        return {}
    found: dict[tuple[str, ...], float] = {("p50",): end.p50.timestamp()}
    return found if end.p90 is None else found | {("p90",): end.p90.timestamp()}


def _late_in(job: JobPlan, plan: Plan) -> str | None:
    """The state that a job has been in for longer than nine of ten others; None if it has not, or that is unknown."""
    attempt, forecast = job.attempt, job.forecast
    now = None if attempt is None else plan.clocks.get(attempt.account)
    if attempt is None or forecast is None or now is None or not attempt.is_active:
        return None
    if attempt.state == JobState.RUNNING:
        since, usual, state = attempt.start_time, forecast.running, "running"
    else:
        since, usual, state = attempt.create_time, forecast.pending, "pending"
    if since is None or not _is_longer((now - since).total_seconds(), usual):
        return None
    return state


def _is_longer(seconds: float, usual: Percentiles) -> bool:
    return usual.p90 is not None and seconds > usual.p90
