"""The order in which a pass begins the steps of its jobs, and how long it collects results.

A collection takes as long as its results are large, and may wait: results stay where they are. What begins, stops or
removes remote jobs goes first. While jobs are active, a pass does not collect for long: it would notice late that there
is capacity for a further job, or that a job has ended which others wait for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from batchctl.model.actions import Action
from batchctl.model.plan import JobPlan
from batchctl.model.ports.surroundings import Stoppable


class Turns:
    """The jobs of a pass that have steps to run. Collections that failed before come last: they hold up no others."""

    def __init__(self, jobs: Iterable[JobPlan], clock: Stoppable, collects_for: float | None) -> None:
        """`collects_for`: seconds after which no further collection is begun, 0: not one is; None: all are."""
        self._jobs = deque(sorted(jobs, key=_turn))
        self._clock = clock
        self._collects_for = collects_for
        self._until: float | None = None
        """When no further collection is begun, on the monotonic clock; None until the first one is."""
        self.has_begun = False
        """Whether the steps of a job were begun."""

    def next(self) -> JobPlan | None:
        """The job to begin now; None if there is none."""
        if not self._jobs or self._is_over():
            return None
        self.has_begun = True
        return self._jobs.popleft()

    @property
    def left(self) -> tuple[JobPlan, ...]:
        """The jobs that were not begun."""
        return tuple(self._jobs)

    def _is_over(self) -> bool:
        if self._collects_for is None or self._jobs[0].action is not Action.COLLECT:
            return False
        if self._until is None and self._collects_for > 0:
            self._until = self._clock.elapsed() + self._collects_for
            return False
        return self._until is None or self._clock.elapsed() >= self._until


def _turn(job: JobPlan) -> int:
    if job.action is not Action.COLLECT:
        return 0
    return 1 if job.attempt is None or job.attempt.trouble is None else 2
