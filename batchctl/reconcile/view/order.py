"""The order of jobs that depend on each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from msgspec import Struct


class Sorted(Struct, frozen=True):
    """Names in an order in which each comes after all it depends on."""

    names: tuple[str, ...]
    in_circles: frozenset[str]
    """Those that depend on each other, or depend on such: there is no order among them. They come last, by name."""


def find_needed(names: Iterable[str], needs: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything these jobs depend on, directly or not. Names that are no key of `needs` are left out."""
    needed: set[str] = set()
    left = [name for name in names if needs.get(name)]
    while left:
        for other in needs.get(left.pop(), ()):
            if other in needs and other not in needed:
                needed.add(other)
                left.append(other)
    return needed


def sort_by_needs(needs: Mapping[str, Iterable[str]]) -> Sorted:
    """Bring names into order. Names that are no key of `needs` are left out."""
    # Most jobs need no other one: they come first.
    known = {name: {other for other in wanted if other in needs} for name, wanted in needs.items() if wanted}
    left = {name: wanted for name, wanted in known.items() if wanted}
    names = sorted(needs.keys() - left.keys())
    if not left:
        return Sorted(tuple(names), frozenset())
    from graphlib import CycleError, TopologicalSorter  # for jobs that need others

    sorter = TopologicalSorter({name: wanted & left.keys() for name, wanted in left.items()})
    with suppress(CycleError):
        # The sorter finds a circle at once, and still gives all that is in none.
        sorter.prepare()
    while ready := sorter.get_ready():
        names.extend(sorted(ready))
        sorter.done(*ready)
    circles = sorted(needs.keys() - set(names))
    return Sorted((*names, *circles), frozenset(circles))
