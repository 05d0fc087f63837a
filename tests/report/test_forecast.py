"""Forecasts in words and in documents."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.forecast import ExpectedEnd, JobForecast, StackForecast, Stuck
from batchctl.model.percentiles import Percentiles
from batchctl.report.forecast import (
    end_words,
    ends_in,
    forecast_fields,
    forecast_words,
    stack_forecast_fields,
    stuck_way_out,
)
from tests.support.decisions import HOUR, MINUTE, NOW, decide, job
from tests.support.values import replace

BOTH = ExpectedEnd(NOW + 2 * HOUR + 10 * MINUTE, NOW + 9 * HOUR)
HALF = ExpectedEnd(NOW + 90 * MINUTE)
OVER = ExpectedEnd(NOW - MINUTE, NOW + MINUTE)
UNKNOWN = JobForecast(2, "1 to 9 rows", unknown="history is short")
KNOWN = JobForecast(12, "1 to 9 rows", Percentiles(60.4, 90.6, 12), Percentiles(3600, None, 9, 7200), BOTH)


@pytest.mark.parametrize(
    ("end", "cell"),
    [
        (None, "?"),
        (ExpectedEnd(NOW + HOUR, NOW + HOUR), "in 1h"),
        (BOTH, "in 2h10m to 9h"),
        (HALF, "in 1h30m"),
        (OVER, "in 0s to 1m"),
    ],
)
def test_a_cell_has_the_time_until_the_end(end: ExpectedEnd | None, cell: str) -> None:
    assert ends_in(end, NOW) == cell


def test_a_sentence_has_the_times_and_the_basis() -> None:
    assert end_words(BOTH, NOW) == (
        "about 2026-11-22T14:10:00Z (in 2h10m), in nine of ten cases by 2026-11-22T21:00:00Z (in 9h)"
    )
    assert end_words(ExpectedEnd(NOW, NOW), None) == "about 2026-11-22T12:00:00Z"
    assert end_words(HALF, None) == "about 2026-11-22T13:30:00Z"
    assert forecast_words(KNOWN, None) == (
        "about 2026-11-22T14:10:00Z, in nine of ten cases by 2026-11-22T21:00:00Z; as 12 attempts with 1 to 9 rows"
    )
    assert forecast_words(UNKNOWN, NOW) == "unknown: history is short"


def test_a_document_has_whole_seconds_and_null_for_what_is_unknown() -> None:
    assert forecast_fields(KNOWN) == {
        "samples": 12,
        "size": "1 to 9 rows",
        "pending": {"p50": 60, "p90": 91, "longerThan": None, "samples": 12},
        "running": {"p50": 3600, "p90": None, "longerThan": 7200, "samples": 9},
        "end": {"p50": "2026-11-22T14:10:00Z", "p90": "2026-11-22T21:00:00Z"},
        "unknown": None,
        "stuck": False,
        "stuckFor": None,
    }
    found = forecast_fields(replace(UNKNOWN, stuck=Stuck("RUNNING", 7200.4, 60)))
    assert found is not None
    assert [found[name] for name in ("pending", "end", "unknown", "stuck", "stuckFor")] == [
        None,
        None,
        "history is short",
        True,
        7200,
    ]
    assert forecast_fields(None) is None
    assert stack_forecast_fields(None) is None
    assert stack_forecast_fields(StackForecast(HALF, (), ("a",))) == {
        "end": {"p50": "2026-11-22T13:30:00Z", "p90": None},
        "unknown": [],
        "stuck": ["a"],
    }


@pytest.mark.parametrize(("state", "field"), [("PENDING", "pendingDeadline"), ("RUNNING", "activeDeadline")])
def test_the_way_out_names_the_deadline_of_the_state(state: str, field: str) -> None:
    (plan,) = decide([job()]).jobs
    stuck = replace(plan, forecast=JobForecast(stuck=Stuck(state, 7200, 60)))
    assert f"lifecycle.{field} with backoffLimit" in stuck_way_out(stuck)
    assert "`batchctl cancel a` and then `batchctl retry a`" in stuck_way_out(stuck)


def test_a_stuck_attempt_in_words() -> None:
    assert Stuck("RUNNING", timedelta(hours=26).total_seconds(), 3661).words == (
        "running for 1d2h; nine of ten were for at most 1h1m"
    )
