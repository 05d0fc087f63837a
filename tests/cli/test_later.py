"""Parts that are made when they are first used."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from batchctl.cli.later import later
from tests.support.patience import PATIENCE


class Part:
    name = "part"

    def __init__(self) -> None:
        self.calls = 0

    def call(self, by: int) -> int:
        self.calls += by
        return self.calls


def test_it_is_made_once_and_not_before_its_first_use() -> None:
    made: list[Part] = []

    def make() -> Part:
        made.append(Part())
        return made[-1]

    part = later(make)
    assert made == []
    assert (part.name, part.call(2), part.call(by=1)) == ("part", 2, 3)
    assert len(made) == 1


def test_two_threads_get_the_same_part() -> None:
    started = threading.Barrier(2)
    made: list[Part] = []

    def make() -> Part:
        made.append(Part())
        return made[-1]

    part = later(make)

    def use() -> str:
        started.wait(PATIENCE)
        return part.name

    with ThreadPoolExecutor(2) as pool:
        uses = [pool.submit(use) for _ in range(2)]
        assert [one.result() for one in uses] == ["part", "part"]
    assert len(made) == 1


def test_each_use_raises_the_fault_of_making_it() -> None:
    def make() -> Part:
        raise LookupError("no credentials")

    part = later(make)
    for _ in range(2):
        with pytest.raises(LookupError, match="no credentials"):
            part.call(1)


def test_a_member_that_the_part_does_not_have() -> None:
    with pytest.raises(AttributeError, match="'Part' object has no attribute 'gone'"):
        _ = later(Part).gone  # type: ignore[attr-defined]
