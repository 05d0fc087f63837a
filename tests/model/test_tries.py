"""Whether what has failed is tried again."""

from __future__ import annotations

from batchctl.model.forms.tries import Tries


def due(tries: Tries, count: int) -> list[int]:
    """The numbers of the tries that were made, all of which failed."""
    made = []
    for number in range(count):
        if tries.is_due:
            made.append(number)
        tries.fail()
    return made


def test_after_many_failures_few_tries_are_made() -> None:
    assert due(Tries(2), 200) == [0, 1, 2, 64, 128, 192]


def test_a_success_ends_the_failures() -> None:
    tries = Tries(2)
    assert due(tries, 10) == [0, 1, 2]
    tries.succeed()
    assert due(tries, 10) == [0, 1, 2]
