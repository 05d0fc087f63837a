"""Counts operations instead of time: how the work of a call grows with the number of jobs, on any machine alike.

Counted are the lines that the interpreter enters in batchctl's own code, each turn of a loop within a line too, so a
loop within a loop shows however fast it runs. Its single instructions show no more, and take twice as long to count.
What the set and dict types do inside of one line does not show; tests of such places hand in containers that count.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import batchctl

HERE = str(Path(batchctl.__file__).parent)
ROOM_FOR_LOGARITHMS = 1.05
"""Sorting may add this much to what grows in step with the number of jobs."""


def count_steps(call: Callable[[], object], *rooms: str) -> int:
    """How many lines of batchctl's code a call runs, and turns of loops within them, in these rooms of it or in all."""
    places = tuple(f"{HERE}/{room}" for room in rooms or ("",))
    steps = 0

    def within(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return within

    def enter(frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(places):
            return None
        return within

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        call()
    finally:
        sys.settrace(before)
    return steps


def assert_in_step(count: Callable[[int], int], few: int = 60, factor: int = 4) -> None:
    """Hold that `count(number)` grows in step with the number, and not with its square."""
    small, large = count(few), count(few * factor)
    assert small > few, "nothing was counted"
    growth = large / small
    assert growth <= factor * ROOM_FOR_LOGARITHMS, f"{factor} times as many jobs take {growth:.2f} times the work"


class CountingMapping(Mapping[str, Any]):
    """A mapping that counts what is asked of it, a walk through all of its keys included."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self.asked = 0

    def __getitem__(self, key: str) -> Any:
        self.asked += 1
        return self._content[key]

    def __contains__(self, key: object) -> bool:
        self.asked += 1
        return key in self._content

    def __iter__(self) -> Iterator[str]:
        for key in self._content:
            self.asked += 1
            yield key

    def __len__(self) -> int:
        return len(self._content)
