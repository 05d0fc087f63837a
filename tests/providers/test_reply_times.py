from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from batchctl.providers.reply_times import ServerClock, parse_http_date, parse_seconds, parse_time
from tests.support.scripted_api import NOW, MovedClock


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-12-10T18:27:01.407650525Z", datetime(2025, 12, 10, 18, 27, 1, 407650, UTC)),
        ("2025-12-10T18:27:01.4Z", datetime(2025, 12, 10, 18, 27, 1, 400000, UTC)),
        ("2025-12-10t18:27:01z", datetime(2025, 12, 10, 18, 27, 1, 0, UTC)),
        ("2025-12-10T18:27:01+02:30", datetime(2025, 12, 10, 15, 57, 1, 0, UTC)),
        ("2025-12-10T18:27:01-02:30", datetime(2025, 12, 10, 20, 57, 1, 0, UTC)),
    ],
)
def test_rfc3339(text, expected):
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "",
        "2025-12-10",
        "2025-12-10T18:27:01",
        "2025-13-10T18:27:01Z",
        "2025-12-10T18:27:60Z",
        "2025-12-10T18:27:01.1234567890Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "\uff12\uff10\uff12\uff15-12-10T18:27:01Z",
        "2025-12-10T18:27:01Z\n",
    ],
)
def test_what_is_no_time_is_none(value):
    assert parse_time(value) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 22 Nov 2026 12:00:00 GMT", NOW),
        ("Sun, 22 Nov 2026 12:00:00 -0000", NOW),
        ("Sun, 22 Nov 2026 13:00:00 +0100", NOW),
        (None, None),
        ("", None),
        ("43", None),
        ("yesterday", None),
        ("Sun, 22 Nov 9999 12:00:00 GMT", None),
        ("Sun, 22 Nov 1969 12:00:00 GMT", None),
        ("Sun, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_http_date(text, expected):
    assert parse_http_date(text) == expected


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        ("43", "", 43.0),
        (" 1.5 ", "", 1.5),
        ("43.5s", "s", 43.5),
        ("0s", "s", 0.0),
        ("43", "s", None),
        ("-1", "", None),
        ("1e9", "", None),
        ("infs", "s", None),
        ("nan", "", None),
        (43, "", None),
        ("9" * 400, "", None),
    ],
)
def test_seconds(text, suffix, expected):
    assert parse_seconds(text, suffix) == expected


def http_date(offset: timedelta) -> str:
    return f"{NOW + offset:%a, %d %b %Y %H:%M:%S} GMT"


def test_clock_follows_the_last_date_seen():
    local = MovedClock()
    clock = ServerClock(local)
    assert clock.now() == NOW
    clock.observe(http_date(timedelta(minutes=4)))
    local.time += timedelta(minutes=1)
    assert clock.now() == NOW + timedelta(minutes=5)
    clock.observe("nonsense")
    clock.observe(None)
    assert clock.now() == NOW + timedelta(minutes=5)
    assert not clock.is_in_doubt


@pytest.mark.parametrize("true", [-0.7, -0.1, 0.0, 0.3, 0.9])
def test_many_dates_show_the_clock_to_a_fraction_of_a_second(true):
    """A date has whole seconds, but it changes at the service's full second."""
    local = MovedClock()
    clock = ServerClock(local)
    for _ in range(100):
        local.time += timedelta(seconds=0.07)
        clock.observe(http_date(local.time - NOW + timedelta(seconds=true)))
    assert (clock.now() - local.time).total_seconds() == pytest.approx(true, abs=0.02)


def test_dates_of_a_clock_that_agrees_change_nothing():
    local = MovedClock()
    clock = ServerClock(local)
    for _ in range(100):
        local.time += timedelta(seconds=0.07)
        clock.observe(http_date(local.time - NOW))
        assert clock.now() == local.time


TWO_DAYS = timedelta(hours=48)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("offsets", "expected", "in_doubt"),
    [
        pytest.param([TWO_DAYS], timedelta(), True, id="one far ahead does not count"),
        pytest.param([-TWO_DAYS], -TWO_DAYS, True, id="one far behind: less time has passed"),
        pytest.param([TWO_DAYS, TWO_DAYS], TWO_DAYS, False, id="two that agree count"),
        pytest.param([-TWO_DAYS, -TWO_DAYS], -TWO_DAYS, False, id="two that agree on the past count"),
        pytest.param([TWO_DAYS, TWO_DAYS + MINUTE], TWO_DAYS + MINUTE, False, id="two that nearly agree count"),
        pytest.param([TWO_DAYS, MINUTE], MINUTE, False, id="the second agrees with what was known"),
        pytest.param([TWO_DAYS, 2 * TWO_DAYS], timedelta(), True, id="two that differ from each other do not count"),
        pytest.param([TWO_DAYS, -TWO_DAYS], -TWO_DAYS, True, id="of three that differ the earliest"),
        pytest.param([TWO_DAYS] * 2 + [timedelta()], timedelta(), True, id="back again needs two as well"),
        pytest.param([TWO_DAYS] * 2 + [3 * TWO_DAYS], TWO_DAYS, True, id="what was confirmed stays"),
        pytest.param([4 * MINUTE * n for n in range(1, 9)], 32 * MINUTE, False, id="a slow drift is followed"),
    ],
)
def test_one_wrong_date_does_not_count(offsets, expected, in_doubt):
    clock = ServerClock(MovedClock())
    for offset in offsets:
        clock.observe(http_date(offset))
    assert (clock.now() - NOW, clock.is_in_doubt) == (expected, in_doubt)
