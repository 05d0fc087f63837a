"""Checks `dependsOn` and `fromJob`: each job exists, and there are no circles.

It keeps the places of the names, which may be in the stack's defaults as well as in a manifest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct, field

from batchctl.manifests.fault_codes import Code
from batchctl.manifests.fault_list import LONGEST_LIST, Faults, did_you_mean
from batchctl.manifests.nodes import Items, Node, Scalar
from batchctl.model.desired import Expansion
from batchctl.model.locations import Location
from batchctl.model.quoting import cut, shown

_NAMED = 5
"""The most jobs of a circle that a message names."""


class Need(Struct, frozen=True, gc=False):
    """One dependency of a job."""

    name: str
    """The other job's."""
    field: str
    place: Location


class Needs(Struct):
    """Collects the dependencies of all jobs and then checks them together."""

    _places: dict[str, dict[str, Need]] = field(default_factory=dict)
    """By job that has any: the names of its dependencies, each with its place."""
    _expansions: dict[str, list[str]] = field(default_factory=dict)
    """By the name of a manifest with a matrix: the names of its jobs."""

    def read(self, job: str, node: Node | None, from_job: Node | None = None) -> tuple[str, ...]:
        """The names in a job's `dependsOn`, in the order of the manifest, and the one of its `fromJob`."""
        items = node.values if isinstance(node, Items) else ()
        names = [item for item in items if isinstance(item, Scalar)]
        found = {str(item.value): Need(str(item.value), "dependsOn", item.location) for item in names}
        if isinstance(from_job, Scalar):
            name = str(from_job.value)
            found.setdefault(name, Need(name, "fromJob", from_job.location))
        self._set(job, found)
        return tuple(found)

    def of(self, job: str) -> tuple[Need, ...]:
        """The dependencies that `read` found for a job."""
        return tuple(self._places.get(job, {}).values())

    def note(self, job: str, needs: Iterable[Need]) -> None:
        """Note what `read` found for a job at another time."""
        found = {need.name: need for need in needs}
        if found or self._places:
            self._set(job, found)

    def _set(self, job: str, needs: dict[str, Need]) -> None:
        if needs:
            self._places[job] = needs
        else:
            self._places.pop(job, None)  # of another job with the same name

    def note_expansion(self, job: str | None, expansion: Expansion | None) -> None:
        """Note that a job comes from a manifest with a matrix."""
        if job is not None and expansion is not None:
            self._expansions.setdefault(expansion.name, []).append(job)

    def check(self, jobs: Collection[str], faults: Faults) -> None:
        """Report unknown names and circles. `jobs` are the names in all manifests, including invalid ones."""
        for places in self._places.values():
            for name, need in places.items():
                if name not in jobs:
                    self._add_unknown(name, need, jobs, faults)
        for circle in _circles({job: set(places) for job, places in self._places.items()}):
            shown_names = circle if len(circle) <= _NAMED else (*circle[: _NAMED - 1], "…")
            words = " → ".join([*shown_names, circle[0]])
            need = self._places[circle[0]][circle[1] if len(circle) > 1 else circle[0]]
            message = f'"{need.field}" forms a circle: {words}'
            faults.add(
                need.place,
                Code.DEPENDENCY_CIRCLE,
                message,
                "none of these jobs could ever be created; remove one of the dependencies",
            )

    def _add_unknown(self, name: str, need: Need, jobs: Collection[str], faults: Faults) -> None:
        if name in self._expansions:
            message = f'"{need.field}" names {shown(name)}, which is a manifest with a matrix'
            hint = f"name its jobs: {cut(', '.join(self._expansions[name]), LONGEST_LIST)}"
        else:
            message = f'"{need.field}" names {shown(name)}, and there is no such job'
            hint = did_you_mean(name, jobs)
        faults.add(need.place, Code.UNKNOWN_JOB, message, hint)


def _circles(needs: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """Circles without a common job, each from its first name on. They cover every job that waits for itself."""
    found = []
    left = _in_circles(needs)
    while left:
        path = [min(left)]
        while path[-1] not in path[:-1]:
            path.append(min(left[path[-1]]))
        circle = path[path.index(path[-1]) : -1]
        first = circle.index(min(circle))
        found.append((*circle[first:], *circle[:first]))
        left = _in_circles({job: others - set(circle) for job, others in left.items() if job not in circle})
    return found


def _in_circles(needs: dict[str, set[str]]) -> dict[str, set[str]]:
    """The jobs that remain after removing all that can be created in some order."""
    left = {job: others & needs.keys() for job, others in needs.items()}
    wanted_by: dict[str, list[str]] = {job: [] for job in left}
    for job, others in left.items():
        for other in others:
            wanted_by[other].append(job)
    ready = [job for job, others in left.items() if not others]
    for job in ready:
        del left[job]
        for dependant in wanted_by[job]:
            left[dependant].discard(job)
            if not left[dependant]:
                ready.append(dependant)
    return left
