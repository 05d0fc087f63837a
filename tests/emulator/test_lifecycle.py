from __future__ import annotations

import pytest

from batchctl.emulator.lifecycle import Fate, State, Timeline, progress

NORMAL = Timeline(created=100, pending=10, running=20, expire_after=1000)
STUCK = Timeline(100, 10, 20, 1000, Fate.STUCK)
FAILING = Timeline(100, 10, 20, 1000, Fate.FAIL)
EXPIRING = Timeline(100, 10, 20, 1000, Fate.EXPIRE)
LONG = Timeline(100, 10, 5000, 1000)
LONG_WAIT = Timeline(100, 5000, 10, 1000)
AT_ONCE = Timeline(100, 0, 0, 1000)
CANCELLED = Timeline(100, 10, 20, 1000, cancelled=115)
CANCELLED_EARLY = Timeline(100, 10, 20, 1000, cancelled=105)
CANCELLED_LATE = Timeline(100, 10, 20, 1000, Fate.CANCEL_SLOW, cancelled=135)


@pytest.mark.parametrize(
    ("line", "now", "state", "started", "ended", "share"),
    [
        (NORMAL, 50, State.PENDING, None, None, 0),
        (NORMAL, 109, State.PENDING, None, None, 0),
        (NORMAL, 110, State.RUNNING, 110, None, 0),
        (NORMAL, 120, State.RUNNING, 110, None, 0.5),
        (NORMAL, 130, State.SUCCEEDED, 110, 130, 1),
        (NORMAL, 9999, State.SUCCEEDED, 110, 130, 1),
        (STUCK, 1099, State.PENDING, None, None, 0),
        (STUCK, 1100, State.EXPIRED, None, 1100, 0),
        (FAILING, 129, State.RUNNING, 110, None, 0.95),
        (FAILING, 130, State.FAILED, 110, 130, 1),
        (EXPIRING, 130, State.EXPIRED, 110, 130, 1),
        (LONG, 1099, State.RUNNING, 110, None, 989 / 5000),
        (LONG, 1100, State.EXPIRED, 110, 1100, 990 / 5000),
        (LONG_WAIT, 1100, State.EXPIRED, None, 1100, 0),
        (AT_ONCE, 100, State.SUCCEEDED, 100, 100, 1),
        (CANCELLED, 114, State.RUNNING, 110, None, 0.2),
        (CANCELLED, 115, State.CANCELLED, 110, 115, 0.25),
        (CANCELLED, 500, State.CANCELLED, 110, 115, 0.25),
        (CANCELLED_EARLY, 104, State.PENDING, None, None, 0),
        (CANCELLED_EARLY, 500, State.CANCELLED, None, 105, 0),
        (CANCELLED_LATE, 134, State.RUNNING, 110, None, 1),
        (CANCELLED_LATE, 135, State.CANCELLED, 110, 135, 1),
    ],
)
def test_the_state_of_a_job_over_time(
    line: Timeline, now: int, state: State, started: int | None, ended: int | None, share: float
) -> None:
    found = progress(line, now)
    assert (found.state, found.started, found.ended, found.share) == (state, started, ended, share)
    assert found.done is (ended is not None)


@pytest.mark.parametrize(
    "line", [NORMAL, STUCK, FAILING, EXPIRING, LONG, LONG_WAIT, AT_ONCE, CANCELLED, CANCELLED_LATE]
)
def test_states_never_go_back(line: Timeline) -> None:
    order = {State.PENDING: 0, State.RUNNING: 1}
    seen = [progress(line, now) for now in range(90, 1200)]
    ranks = [order.get(standing.state, 2) for standing in seen]
    assert ranks == sorted(ranks)
    assert len({standing for standing in seen if standing.done}) == 1
