from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from batchctl.model.durations import duration_text
from batchctl.model.times import rfc3339
from batchctl.report.display_times import age, clock_time
from tests.support.report_samples import NOW, ago

PARIS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (NOW, "2026-11-22T10:31:07Z"),
        (datetime(2026, 11, 22, 0, 30, tzinfo=PARIS), "2026-11-21T23:30:00Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC), "2026-01-02T03:04:05.000600Z"),
    ],
)
def test_rfc3339(moment, text):
    assert rfc3339(moment) == text


def test_clock_time_is_utc():
    assert clock_time(datetime(2026, 11, 22, 0, 30, 9, tzinfo=PARIS)) == "23:30:09Z"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        ({}, "0s"),
        ({"milliseconds": 900}, "0s"),
        ({"seconds": 90}, "1m30s"),
        ({"hours": 36}, "1d12h"),
        ({"days": 7}, "1w"),
        ({"weeks": 1, "days": 2, "hours": 3, "minutes": 4, "seconds": 5}, "1w2d3h4m5s"),
        ({"weeks": 1, "seconds": 5}, "1w5s"),
    ],
)
def test_duration_text(length, text):
    assert duration_text(timedelta(**length)) == text
    assert re.fullmatch(r"([0-9]+(w|d|h|m|s))+", text)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        ({}, "0s"),
        ({"seconds": 5}, "5s"),
        ({"minutes": 3, "seconds": 10}, "3m10s"),
        ({"days": 2, "hours": 4, "minutes": 5}, "2d4h"),
        ({"days": 2, "minutes": 5}, "2d"),
        ({"seconds": -5}, "0s"),
    ],
)
def test_age(length, text):
    assert age(ago(**length), NOW) == text


def test_age_of_what_was_never_created():
    assert age(None, NOW) == "-"
