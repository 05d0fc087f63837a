"""How long the engine waits before its next look, and the real clock it waits on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from batchctl.engine.clock import SystemClock
from batchctl.engine.polling import Interval

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def waits(interval, count, **given):
    return [interval.next(**{"changed": False, "now": NOW, "due": None, **given}) for _ in range(count)]


def test_it_grows_while_nothing_changes_up_to_a_minute():
    found = waits(Interval(lambda: 0.5), 14)
    assert found[:4] == [1.5, 2.25, 3.375, 5.0625]
    assert found == sorted(found)
    assert found[-3:] == [60.0] * 3


def test_a_change_makes_it_short_again():
    interval = Interval(lambda: 0.5)
    waits(interval, 20)
    assert waits(interval, 1, changed=True) == [1.0]
    assert waits(interval, 1) == [1.5]


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 0.9), (0.25, 0.95), (0.5, 1.0), (0.75, 1.05), (1.0, 1.1)])
def test_jitter_moves_it_by_a_tenth_at_most(draw, seconds):
    assert Interval(lambda: draw).next(changed=True, now=NOW, due=None) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("due_in", "seconds"),
    [(1000, 60.0), (60.5, 60.0), (59, 59.0), (10, 10.0), (1, 1.0), (0.2, 1.0), (0, 1.0), (-500, 1.0)],
)
def test_what_is_due_shortens_it_but_never_below_the_shortest(due_in, seconds):
    interval = Interval(lambda: 0.5)
    waits(interval, 20)
    assert interval.next(changed=False, now=NOW, due=NOW + timedelta(seconds=due_in)) == seconds


def test_what_is_due_does_not_lengthen_it():
    assert Interval(lambda: 0.5).next(changed=True, now=NOW, due=NOW + timedelta(hours=1)) == 1.0


def test_what_was_due_leaves_no_trace_in_the_growth():
    interval = Interval(lambda: 0.5)
    waits(interval, 3)
    interval.next(changed=False, now=NOW, due=NOW)
    assert waits(interval, 1) == [pytest.approx(1.5**5)]


def test_the_real_clock_tells_utc_and_does_not_sleep_into_the_past():
    clock = SystemClock()
    before = clock.now()
    clock.sleep(-5)
    clock.sleep(0)
    assert before.tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert not clock.is_stopped()


def test_a_stop_ends_a_sleep_that_has_begun_and_each_later_one():
    clock = SystemClock()
    asleep = threading.Thread(target=clock.sleep, args=(3600,))
    asleep.start()
    clock.stop()
    asleep.join(20)
    assert not asleep.is_alive()
    clock.sleep(3600)
    assert clock.is_stopped()
