"""A process is killed at each boundary of a command: whoever runs the command again comes to the same rest.

In the gate, at one of the boundaries between which nothing outside the process changes (`scenes.situations`).

At concurrency 1 each run crosses the same boundaries, so each is the last of a process once. With eight calls in flight
they come in any order; there the moments are drawn, and several processes die one after the other.
"""

from __future__ import annotations

import random

import pytest

from tests.support.long_mode import effort
from tests.support.processes import Death
from tests.support.scenes import MANY, STORIES, Point, Take, film, points, situations
from tests.support.workplace import LIMITS

PARTS = effort(2, 4)
"""Into which the boundaries are dealt out, so that several test processes can share them."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("story", STORIES)
def test_killed_at_each_boundary(film_once, forks, api, story, part):
    chosen = points(film_once(api, story), "kill")[part::PARTS]
    for point in chosen:
        point.take.rewind()
        kill(point)
        point.take.heal()
        point.take.check(f"killed at {point.at}, {point.where}")
    print(f"{len(chosen)} processes killed")


@pytest.mark.parametrize("seed", range(effort(2, 60)))
def test_killed_again_and_again_with_eight_calls_in_flight(make_site, still, api, seed):
    (take,) = film(make_site(still, api, limits={**LIMITS, "concurrency": 8}), (MANY,))
    dice = random.Random(seed)
    take.rewind()
    killed = []
    for _ in range(4):
        ended = take.site.run(*take.scene.command, death=Death(dice.randrange(len(take.trace))))
        killed.append(ended.trace[-1])
        assert ended.was_killed or ended.code == 0, ended
    take.heal()
    take.check(f"seed {seed}: killed at {killed}")


def test_what_a_killed_process_leaves_behind_is_the_same_between_two_effects():
    trace = ("before commit", "after commit", "before read", "processed read", "before create", "processed create")
    found = situations(Take(None, (), None, (*trace, "after create", "before rename", "after rename")))
    assert [[point.at for point in group] for group in found] == [[0], [1, 2, 3, 4], [5, 6, 7], [8]]


def kill(point: Point) -> None:
    take = point.take
    ended = take.site.run(*take.scene.command, death=Death(point.at))
    assert ended.was_killed, (point.at, ended)
    assert ended.trace == take.trace[: point.at + 1], "this run crossed other boundaries"
