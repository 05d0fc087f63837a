"""A process is stopped at each boundary, another takes the state over, and the first goes on: it can do nothing more.

What it had begun before it was stopped is all that may still get out: the one call at whose very beginning it slept. If
that is a create call, the job is bought a second time, and the next pass cancels one of the two.
"""

from __future__ import annotations

import pytest

from batchctl.model.errors import StateError
from tests.support.long_mode import effort
from tests.support.processes import Death, Ended, Process
from tests.support.scenes import LONG, STORIES, Point, Take, points

PARTS = effort(2, 4)
CHANGING = {"before create", "before cancel", "before delete"}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """A process that sleeps in the middle of a commit keeps SQLite's own lock; do not wait long for that."""
    monkeypatch.setattr("batchctl.state.connection.BUSY_SECONDS", 0.05)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("story", STORIES)
def test_who_slept_through_its_turn_can_do_nothing_more(film_once, forks, api, story, part):
    chosen = points(film_once(api, story), "stop")[part::PARTS]
    for point in chosen:
        point.take.rewind()
        sleep_and_wake(point)
    print(f"{len(chosen)} processes stopped")


def sleep_and_wake(point: Point) -> None:
    take = point.take
    sleeper = take.site.start(*take.scene.command, death=Death(point.at, "stop"))
    asleep = sleeper.wait()
    assert asleep.stopped, asleep
    assert asleep.trace == take.trace[: point.at + 1], "this run crossed other boundaries"
    if is_in_a_commit(take):
        # In the middle of a commit nobody can take the file from it: it goes on where it was.
        assert point.where == "before commit"
        assert sleeper.go_on().code == 0
        twice: frozenset[str] = frozenset()
    else:
        successor = take.site.run(*take.scene.command)
        assert successor.code == 0, successor
        twice = wake(point, sleeper)
    take.heal()
    take.check(f"slept at {point.at}, {point.where}", twice)


def is_in_a_commit(take: Take) -> bool:
    """Break the sleeper's lock; whether that cannot be done, because SQLite's own is held."""
    try:
        take.site.state().break_lock()
    except StateError as error:
        if error.code != "StateBusy":
            raise
        return True
    return False


def wake(point: Point, sleeper: Process) -> frozenset[str]:
    """Let the sleeper go on beside its successor's work; gives the attempts that it may have bought again."""
    site = point.take.site
    calls, attempts = site.changing_calls(), {job.attempt for job in site.jobs() if job.attempt is not None}
    # What it buys now still works when the next pass looks: a job that ended before that could not be cancelled.
    with site.service.other_rules(LONG):
        ended = sleeper.go_on()
    sent = site.changing_calls() - calls
    assert sent <= (point.where in CHANGING), f"slept at {point.at}, {point.where}: {ended.trace[point.at :]}"
    assert_given_up(ended)
    # What it may have made last is listed by the time of the next pass.
    site.service.advance("10s")
    return frozenset(attempts) if point.where == "before create" else frozenset()


def assert_given_up(ended: Ended) -> None:
    """It ended with an error, unless it had nothing left to write in that pass."""
    if ended.code != 0:
        assert ended.code == 1, ended
        assert "LockLost" in ended.err, ended
