"""Reaches every world of a protocol, one step after the other, until a promise is broken or nothing new is found."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Protocol, TypeVar


class Breakable(Hashable, Protocol):
    """A world, and the promise that the step to it has broken; empty if none."""

    @property
    def broken(self) -> str: ...


W = TypeVar("W", bound=Breakable)


class Steps(Protocol[W]):
    """The rules of a world."""

    @property
    def start(self) -> W: ...

    def successors(self, world: W) -> Iterator[tuple[str, W]]: ...


def search(rules: Steps[W], most: int | None = None) -> tuple[int, list[str]]:
    """The number of worlds that can be reached, and the shortest way to a broken promise; empty if there is none."""
    start = rules.start
    ways: dict[W, tuple[W, str] | None] = {start: None}
    level = [start]
    while level and (most is None or len(ways) < most):
        found: list[W] = []
        for world in level:
            for words, after in rules.successors(world):
                if after in ways:
                    continue
                ways[after] = (world, words)
                if after.broken:
                    return len(ways), [*_way_to(after, ways), after.broken]
                found.append(after)
        level = found
    return len(ways), []


def _way_to(world: W, ways: dict[W, tuple[W, str] | None]) -> list[str]:
    words: list[str] = []
    while (step := ways[world]) is not None:
        world, said = step
        words.append(said)
    return words[::-1]
