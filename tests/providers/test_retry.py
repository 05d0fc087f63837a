from __future__ import annotations

import pytest

from batchctl.model import errors
from batchctl.providers.retry import Retry, is_transient
from tests.support.scripted_api import MovedClock


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.ConnectionFailed("m"), True),
        (errors.ReplyLost("m"), True),
        (errors.QuotaExceeded("m", http=429), True),
        (errors.ServerFailed("m", http=500), True),
        (errors.ServerFailed("m", http=503), True),
        (errors.ServerFailed("m", http=501), False),
        (errors.Conflict("m", http=408), True),
        (errors.Conflict("m", http=409), False),
        (errors.BadReply("m"), False),
        (errors.BadRequest("m", http=400), False),
        (errors.Unauthenticated("m", http=401), False),
        (errors.PermissionDenied("m", http=403), False),
        (errors.NotFound("m", http=404), False),
    ],
)
def test_what_is_worth_another_try(error, expected):
    assert is_transient(error) is expected


class Failing:
    def __init__(self, *failures: errors.ApiError) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def test_waits_double_up_to_a_cap_and_are_scattered():
    clock = MovedClock()
    call = Failing(*[errors.ReplyLost("m") for _ in range(7)])
    assert Retry(clock, lambda: 0.5, attempts=8).run(call) == "done"
    assert clock.sleeps == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_gives_up_with_the_last_error():
    clock = MovedClock()
    last = errors.ReplyLost("last")
    call = Failing(*[errors.ReplyLost("m") for _ in range(4)], last)
    with pytest.raises(errors.ReplyLost) as caught:
        Retry(clock, lambda: 0.0).run(call)
    assert caught.value is last
    assert call.calls == 5
    assert len(clock.sleeps) == 4


def test_a_refusal_is_not_repeated():
    call = Failing(errors.BadRequest("m", http=400))
    with pytest.raises(errors.BadRequest):
        Retry(MovedClock(), lambda: 0.0).run(call)
    assert call.calls == 1


@pytest.mark.parametrize(("asked", "sleeps"), [(0.0, [0.5]), (43.0, [43.5]), (60.0, [60.5])])
def test_the_wait_that_the_api_asks_for_is_a_minimum(asked, sleeps):
    clock = MovedClock()
    Retry(clock, lambda: 0.5).run(Failing(errors.QuotaExceeded("m", http=429, retry_after=asked)))
    assert clock.sleeps == sleeps


def test_too_long_a_wait_surfaces_at_once():
    clock = MovedClock()
    call = Failing(errors.QuotaExceeded("m", http=429, retry_after=61.0))
    with pytest.raises(errors.QuotaExceeded):
        Retry(clock, lambda: 0.5).run(call)
    assert (call.calls, clock.sleeps) == (1, [])


def test_the_caller_may_know_better_what_is_worth_another_try():
    call = Failing(errors.NotFound("m", http=404))
    assert Retry(MovedClock(), lambda: 0.0).run(call, lambda error: isinstance(error, errors.NotFound)) == "done"


def test_one_call_waits_for_a_minute_and_a_half_at_most():
    clock = MovedClock()
    call = Failing(*[errors.ServerFailed("m", http=503, retry_after=60.0)] * 5)
    with pytest.raises(errors.ServerFailed):
        Retry(clock, lambda: 0.5).run(call)
    assert (call.calls, clock.sleeps) == (2, [60.5])
