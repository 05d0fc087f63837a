"""How long the engine waits before its next look, and the real clock it waits on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from batchctl.engine.clock import SystemClock
from batchctl.engine.loop.polling import Interval, Pace
from tests.support.patience import PATIENCE

PACE = Pace()


def quiet(interval, count, **given):
    return [interval.next(**{"changed": False, "due_in": None, "youngest": None, **given}) for _ in range(count)]


def interval(pace=PACE, draw=0.5):
    return Interval(lambda: draw, pace)


def test_it_grows_while_nothing_changes_up_to_the_longest():
    found = quiet(interval(), 14)
    assert found[:4] == [1.5, 2.25, 3.375, 5.0625]
    assert found == sorted(found)
    assert found[-3:] == [60.0] * 3


@pytest.mark.parametrize("pace", [Pace(), Pace(5.0, 900.0), Pace(0.1, 0.2), Pace(30.0, 30.0)])
def test_it_keeps_to_its_bounds(pace):
    found = [*quiet(interval(pace), 40), *quiet(interval(pace), 3, youngest=0.0), *quiet(interval(pace), 3, due_in=0.0)]
    assert min(found) >= pace.shortest
    assert max(found) == pace.longest


def test_a_change_makes_it_short_again():
    one = interval()
    quiet(one, 20)
    assert quiet(one, 1, changed=True) == [1.0]
    assert quiet(one, 1) == [1.5]


@pytest.mark.parametrize(
    ("age", "seconds"),
    [(0.0, 1.0), (9.0, 1.0), (30.0, 3.0), (300.0, 30.0), (600.0, 60.0), (86_400.0, 60.0), (None, 60.0)],
)
def test_a_young_job_is_looked_at_often_and_an_old_one_seldom(age, seconds):
    assert quiet(interval(), 20, youngest=age)[-1] == pytest.approx(seconds)


def test_the_older_the_job_the_longer_the_wait():
    pace = Pace(1.0, 900.0)
    found = [quiet(interval(pace), 40, youngest=hours * 3600)[-1] for hours in (0.1, 0.5, 1, 2, 5)]
    assert found == pytest.approx([36.0, 180.0, 360.0, 720.0, 900.0])


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 0.9), (0.25, 0.95), (0.5, 1.0), (0.75, 1.05), (1.0, 1.1)])
def test_jitter_moves_it_by_a_tenth_at_most(draw, seconds):
    assert quiet(interval(draw=draw), 1, changed=True) == [pytest.approx(seconds)]
    assert interval(draw=draw).after_failure() == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("due_in", "seconds"),
    [(1000, 60.0), (60.5, 60.0), (59, 59.0), (10, 10.0), (1, 1.0), (0.2, 1.0), (0, 1.0), (-500, 1.0)],
)
def test_what_is_due_shortens_it_but_never_below_the_shortest(due_in, seconds):
    one = interval()
    quiet(one, 20)
    assert quiet(one, 1, due_in=due_in) == [seconds]


def test_what_is_due_does_not_lengthen_it():
    assert quiet(interval(), 1, changed=True, due_in=3600.0) == [1.0]


@pytest.mark.parametrize(
    ("spent", "seconds"), [(0.0, 60.0), (0.6, 59.4), (59.9, pytest.approx(0.1)), (60.0, 0.0), (300.0, 0.0)]
)
def test_the_time_of_a_look_is_a_part_of_the_pause(spent, seconds):
    one = interval()
    quiet(one, 20)
    assert quiet(one, 1, spent=spent) == [seconds]
    assert quiet(one, 1) == [60.0]


@pytest.mark.parametrize(
    ("ends_in", "spent", "seconds"),
    [(0.3, 0.0, 1.0), (0.3, 0.7, 0.32), (0.3, 5.0, 0.32), (1.4, 0.0, 1.42), (-2.0, 0.6, 0.4), (-2.0, 5.0, 0.0)],
)
@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_a_look_comes_right_after_an_expected_end_but_not_before_the_shortest_pause(ends_in, spent, seconds, draw):
    found = quiet(interval(draw=draw), 1, changed=True, ends_in=ends_in, spent=spent)
    assert found == [pytest.approx(seconds)]


def test_what_is_due_may_use_up_the_time_of_a_look():
    one = interval()
    quiet(one, 20)
    assert quiet(one, 1, due_in=0.2, spent=0.5) == [0.5]


def test_what_was_due_leaves_no_trace_in_the_growth():
    one = interval()
    quiet(one, 3)
    quiet(one, 1, due_in=0.0)
    assert quiet(one, 1) == [pytest.approx(1.5**5)]


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        (Pace(), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
        (Pace(0.1, 5.0), [1.0, 2.0, 4.0, 5.0, 5.0]),
        (Pace(10.0, 15.0), [10.0, 15.0, 15.0]),
    ],
)
def test_failed_passes_are_tried_again_ever_more_seldom(pace, seconds):
    one = interval(pace)
    assert [one.after_failure() for _ in seconds] == seconds


def test_failures_for_weeks_are_no_harm_and_a_pass_that_is_made_ends_the_back_off():
    one = interval()
    assert {one.after_failure() for _ in range(5000)} >= {60.0}
    quiet(one, 1, changed=True)
    assert one.after_failure() == 1.0


def test_the_real_clock_tells_utc_and_does_not_sleep_into_the_past():
    clock = SystemClock()
    before = clock.now()
    clock.sleep(-5)
    clock.sleep(0)
    assert before.tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=PATIENCE)
    assert not clock.is_stopped()
    first = clock.elapsed()
    assert 0 <= clock.elapsed() - first < PATIENCE


def test_a_stop_ends_a_sleep_that_has_begun_and_each_later_one():
    clock = SystemClock()
    asleep = threading.Thread(target=clock.sleep, args=(3600,))
    asleep.start()
    clock.stop()
    asleep.join(PATIENCE)
    assert not asleep.is_alive()
    clock.sleep(3600)
    assert clock.is_stopped()
