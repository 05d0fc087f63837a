"""Numbers of forecasts: plans with values, read as metrics."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.forecast import ExpectedEnd, JobForecast, StackForecast, Stuck
from batchctl.model.percentiles import Percentiles
from batchctl.model.plan import Plan
from batchctl.telemetry.forecast_metrics import expected_end, over_p90, stuck
from tests.support.report_samples import job_plan
from tests.support.values import replace
from tests.telemetry.test_state_metrics import ACCOUNT, HOUR, T0, attempt

USUAL = Percentiles(600.0, 3600.0, 20)
NONE = {("pending",): 0, ("running",): 0}
PENDING, RUNNING = "JOB_STATE_PENDING", "JOB_STATE_RUNNING"


def plan(*, state: str, after: timedelta, forecast: JobForecast | None, **values) -> Plan:
    made = attempt(remote="r", state=state, create_time=T0, **values)
    job = replace(job_plan("a"), attempt=made, forecast=forecast)
    return Plan("shop", (job,), clocks={ACCOUNT: T0 + after})


FORECAST = JobForecast(20, "10 rows", USUAL, USUAL)
LONG = HOUR + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("state", "after", "start", "forecast", "late"),
    [
        (PENDING, HOUR, None, FORECAST, None),
        (PENDING, LONG, None, FORECAST, "pending"),
        (PENDING, LONG, None, None, None),
        (PENDING, LONG, None, JobForecast(), None),
        (PENDING, 100 * HOUR, None, JobForecast(pending=Percentiles(5.0, None, 7, 3600.0)), None),
        (RUNNING, 5 * HOUR, T0 + 4 * HOUR, FORECAST, None),
        (RUNNING, 5 * HOUR, T0 + 5 * HOUR - LONG, FORECAST, "running"),
        (RUNNING, 5 * HOUR, None, FORECAST, None),
        ("JOB_STATE_SUCCEEDED", 5 * HOUR, T0, FORECAST, None),
        ("JOB_STATE_PAUSED", 5 * HOUR, T0, FORECAST, None),
    ],
)
def test_jobs_over_p90(state, after, start, forecast, late):
    made = plan(state=state, after=after, forecast=forecast, start_time=start)
    assert over_p90(made) == NONE | ({(late,): 1} if late else {})


def test_an_account_that_was_not_read_has_no_clock_to_measure_with():
    made = plan(state=PENDING, after=LONG, forecast=FORECAST)
    assert over_p90(replace(made, clocks={})) == NONE


def test_stuck_jobs_by_state():
    is_stuck = replace(FORECAST, stuck=Stuck("RUNNING", 9e4, 3600.0))
    made = plan(state=RUNNING, after=LONG, forecast=is_stuck)
    assert stuck(made) == NONE | {("running",): 1}
    assert stuck(plan(state=RUNNING, after=LONG, forecast=FORECAST)) == NONE


def test_the_expected_end_has_only_what_is_known():
    made = plan(state=RUNNING, after=LONG, forecast=FORECAST)
    assert expected_end(made) == {}
    assert expected_end(replace(made, forecast=StackForecast(unknown=("a",)))) == {}
    half = StackForecast(ExpectedEnd(T0 + HOUR))
    assert expected_end(replace(made, forecast=half)) == {("p50",): (T0 + HOUR).timestamp()}
    both = StackForecast(ExpectedEnd(T0 + HOUR, T0 + 2 * HOUR))
    assert expected_end(replace(made, forecast=both))[("p90",)] == (T0 + 2 * HOUR).timestamp()
