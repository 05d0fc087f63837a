"""The health of a process, on a clock that the tests move."""

from __future__ import annotations

import json

import pytest

from batchctl.model.errors import StateError
from batchctl.model.observing import CallWork, Ending, PassKind, PassWork
from batchctl.telemetry.health import LONGEST_CALL, Health
from tests.support.closed_schemas import check_closed

CALL = CallWork("batches.list", "GET", "here")


class Hand:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A process whose state can be read, or not."""

    def __init__(self, *, watches: bool = True, pause: float = 60.0) -> None:
        self.clock, self.problem = Hand(), None
        self.health = Health(self.read, watches=watches, longest_pause=pause, elapsed=self.clock)

    def read(self) -> None:
        if self.problem is not None:
            raise self.problem

    def make_pass(self, seconds: float = 1.0, error: Exception | None = None, kind: PassKind = PassKind.FULL) -> None:
        end = self.health.begin(PassWork(kind))
        self.clock.now += seconds
        end(Ending(error))

    def statuses(self) -> tuple[str, str]:
        live, ready = self.health.live(), self.health.ready()
        for document in (live, ready):
            check_closed("health", json.loads(json.dumps(document)))
        return live["status"], ready["status"]


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_watch_is_ready_after_its_first_pass(place):
    assert place.statuses() == ("ok", "failed")
    place.make_pass()
    assert place.statuses() == ("ok", "ok")


@pytest.mark.parametrize("kind", [PassKind.FULL, PassKind.QUICK_CHECK])
def test_the_last_success_gets_too_old(place, kind):
    place.make_pass(kind=kind)
    for _ in range(10):
        place.clock.now += 60
        place.make_pass(error=OSError(), seconds=0)
    assert place.statuses() == ("ok", "ok")
    place.clock.now += 1
    assert place.statuses() == ("ok", "failed")
    assert "601 s ago" in place.health.ready()["checks"]["lastPass"]["detail"]


def test_a_look_is_no_pass(place):
    place.make_pass(kind=PassKind.LOOK)
    assert place.statuses() == ("ok", "failed")


def test_the_limit_of_success_follows_the_longest_pause():
    slow = Place(pause=600)
    slow.make_pass()
    slow.clock.now += 1000
    assert slow.statuses() == ("ok", "ok")


def test_a_watch_that_does_not_wake_up_is_dead(place):
    place.make_pass()
    place.clock.now += 180
    assert place.statuses() == ("ok", "ok")
    place.clock.now += 1
    assert place.statuses() == ("failed", "failed")
    place.make_pass()
    assert place.statuses() == ("ok", "ok")


def test_a_pass_may_take_long_while_its_calls_end(place):
    place.make_pass()
    end_pass = place.health.begin(PassWork())
    for _ in range(4):
        end_call = place.health.begin(CALL)
        place.clock.now += LONGEST_CALL
        end_call(Ending())
    assert place.statuses() == ("ok", "failed")
    place.clock.now += LONGEST_CALL + 1
    assert place.statuses() == ("failed", "failed")
    end_pass(Ending())
    assert place.statuses() == ("ok", "ok")


def test_a_loop_that_has_ended_is_dead(place):
    place.make_pass()
    place.health.ended()
    assert place.statuses() == ("failed", "failed")


def test_a_process_without_a_watch_needs_only_its_state():
    place = Place(watches=False)
    assert place.statuses() == ("ok", "ok")
    place.clock.now += 1e6
    assert place.statuses() == ("ok", "ok")
    place.problem = StateError("the file /home/somebody/state.db is damaged")
    assert place.statuses() == ("ok", "failed")
    detail = place.health.ready()["checks"]["state"]["detail"]
    assert detail == "the state cannot be read: State"


def test_the_schema_takes_nothing_else(place):
    document = {**place.health.live(), "more": 1}
    with pytest.raises(AssertionError, match="more"):
        check_closed("health", document)
