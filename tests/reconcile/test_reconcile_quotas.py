"""What a refused create call teaches, and how that wears off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from reconcile_build import HERE, HOUR, MINUTE, NOW, SECOND

from batchctl.model.admission import Quota, QuotaKey
from batchctl.reconcile import after_refusal, after_success
from batchctl.reconcile.backoff import delay
from batchctl.reconcile.quotas import GROWTH, LONGEST_WAIT, limit_now, next_growth

KEY = QuotaKey(HERE, "gemini-2.5-flash")
SEED = f"{HERE} gemini-2.5-flash"
LEARNED = Quota(KEY, 30, NOW, NOW + MINUTE, 2)


def refuse(
    before: Quota | None = None, *, live: int = 40, sent: timedelta = SECOND, wait: float | None = None
) -> Quota:
    """A call that was sent so long after NOW, and refused a second later."""
    moment = NOW + sent
    return after_refusal(before, KEY, live=live, sent=moment, now=moment + SECOND, retry_after=wait)


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


@pytest.mark.parametrize("sent", [-SECOND, timedelta()])
def test_calls_that_were_under_way_at_the_last_refusal_are_one_lesson_with_it(sent: timedelta) -> None:
    assert refuse(LEARNED, live=9, sent=sent) == LEARNED
    assert refuse(LEARNED, live=9, sent=sent, wait=5) == LEARNED
    assert refuse(LEARNED, live=9, sent=sent, wait=300).retry_time == NOW + sent + SECOND + 5 * MINUTE
    assert refuse(LEARNED, live=9, sent=sent, wait=300).limit == 30


def test_a_success_adds_one_and_ends_the_row_of_refusals() -> None:
    assert after_success(LEARNED, sent=NOW + SECOND) == Quota(KEY, 31, NOW, NOW + MINUTE, 0)
    assert after_success(LEARNED, sent=NOW) == LEARNED
    assert after_success(None, sent=NOW) is None


@pytest.mark.parametrize(
    ("later", "limit"),
    [
        (-HOUR, 30),
        (timedelta(), 30),
        (GROWTH - SECOND, 30),
        (GROWTH, 31),
        (2 * GROWTH - SECOND, 31),
        (2 * GROWTH, 32),
    ],
)
def test_time_adds_one_too(later: timedelta, limit: int) -> None:
    assert limit_now(LEARNED, NOW + later) == limit


@pytest.mark.parametrize("live", [30, 31, 47])
def test_next_growth_is_when_there_is_room_again(live: int) -> None:
    moment = next_growth(LEARNED, live)

    assert limit_now(LEARNED, moment) == live + 1
    assert limit_now(LEARNED, moment - SECOND) == live
