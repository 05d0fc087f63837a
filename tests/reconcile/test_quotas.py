"""What a refused create call teaches, and how that wears off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from batchctl.model.admission import Quota, QuotaKey
from batchctl.reconcile import after_refusal, after_success
from batchctl.reconcile.admission.quotas import LONGEST_WAIT, limit_now, next_try
from batchctl.reconcile.calls.backoff import delay
from tests.support.decisions import HERE, HOUR, MINUTE, NOW, SECOND
from tests.support.values import replace

KEY = QuotaKey(HERE, "gemini-2.5-flash")
SEED = f"{HERE} gemini-2.5-flash"
LEARNED = Quota(KEY, 30, NOW, NOW + MINUTE, 2)


def refuse(before: Quota | None = None, *, live: int = 40, late: bool = False, wait: float | None = None) -> Quota:
    """A call that was refused two seconds after NOW."""
    return after_refusal(before, KEY, live=live, late=late, now=NOW + 2 * SECOND, retry_after=wait)


@pytest.mark.parametrize(("live", "limit"), [(0, 1), (1, 1), (2, 1), (4, 3), (40, 30), (100, 75)])
def test_a_refusal_takes_a_quarter_of_what_is_at_work_but_never_all(live: int, limit: int) -> None:
    assert refuse(live=live).limit == limit


def test_the_pause_is_what_the_api_asks_for_else_back_off() -> None:
    moment = NOW + 2 * SECOND

    assert refuse(wait=43.5).retry_time == moment + timedelta(seconds=43.5)
    assert refuse(wait=0).retry_time == moment
    assert refuse(wait=1e300).retry_time == moment + LONGEST_WAIT
    assert refuse().retry_time == moment + delay(1, SEED)
    assert refuse(LEARNED).retry_time == moment + delay(3, SEED)


def test_refusals_in_a_row_are_counted() -> None:
    assert (refuse().refusals, refuse(LEARNED).refusals) == (1, 3)
    assert refuse(LEARNED, live=20) == Quota(KEY, 15, NOW + 2 * SECOND, NOW + 2 * SECOND + delay(3, SEED), 3)


def test_calls_that_were_under_way_at_the_last_refusal_are_one_lesson_with_it() -> None:
    assert refuse(LEARNED, live=9, late=True) == LEARNED
    assert refuse(LEARNED, live=9, late=True, wait=5) == LEARNED
    assert refuse(LEARNED, live=9, late=True, wait=300).retry_time == NOW + 2 * SECOND + 5 * MINUTE
    assert refuse(LEARNED, live=9, late=True, wait=300).limit == 30


def test_a_wait_that_the_api_asks_for_is_taken_at_its_word_once() -> None:
    moment = NOW + 2 * SECOND
    succeeded = replace(LEARNED, refusals=0)

    assert refuse(succeeded, wait=1).retry_time == moment + SECOND
    assert refuse(LEARNED, wait=1).retry_time == moment + delay(3, SEED)
    assert refuse(LEARNED, wait=3000).retry_time == moment + 50 * MINUTE


def test_a_success_adds_one_and_ends_the_row_of_refusals() -> None:
    assert after_success(LEARNED, live=12, late=False) == Quota(KEY, 31, NOW, NOW + MINUTE, 0)
    assert after_success(None, live=12, late=True) is None


@pytest.mark.parametrize(("live", "limit"), [(0, 30), (30, 30), (31, 31), (47, 47)])
def test_a_success_of_a_call_that_was_under_way_at_the_refusal_tells_what_the_api_took(live: int, limit: int) -> None:
    assert after_success(LEARNED, live=live, late=True) == replace(LEARNED, limit=limit)


def quota(pause: timedelta) -> Quota:
    return replace(LEARNED, retry_time=NOW + pause)


@pytest.mark.parametrize(
    ("pause", "step"),
    [
        pytest.param(timedelta(), SECOND, id="no pause at all"),
        pytest.param(5 * SECOND, 5 * SECOND, id="a short pause"),
        pytest.param(MINUTE, MINUTE, id="a pause"),
        pytest.param(5 * MINUTE, 5 * MINUTE, id="as long as a step may be"),
        pytest.param(HOUR, 5 * MINUTE, id="longer than a step may be"),
    ],
)
def test_time_adds_one_too_each_time_that_the_pause_has_passed(pause: timedelta, step: timedelta) -> None:
    times = (-HOUR, timedelta(), step - SECOND / 2, step, 2 * step - SECOND / 2, 2 * step)

    assert [limit_now(quota(pause), NOW + time) for time in times] == [30, 30, 30, 31, 31, 32]


@pytest.mark.parametrize("live", [30, 31, 47])
def test_the_next_try_is_when_there_is_room_again(live: int) -> None:
    moment = next_try(LEARNED, live)

    assert limit_now(LEARNED, moment) == live + 1
    assert limit_now(LEARNED, moment - SECOND) == live


@pytest.mark.parametrize("live", [0, 29, 30, 31])
def test_the_next_try_is_never_before_the_pause_is_over(live: int) -> None:
    assert next_try(quota(HOUR), live) == NOW + HOUR
    assert next_try(quota(5 * SECOND), live) == NOW + (10 if live == 31 else 5) * SECOND
