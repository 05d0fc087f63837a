"""The real `plan` on the state of a small world. The same input is planned once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from batchctl import reconcile
from batchctl.model.desired import DesiredJob
from batchctl.model.inventory import Inventory, KeptResults
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded, RecordedAttempt
from batchctl.model.steps import Create, RecordAttempt, RecordJob, Reuse, Step
from batchctl.reconcile import NO_FILE, Options
from tests.search.looks import Look
from tests.search.record import jobs_of
from tests.search.scenes import Scene, desired_stack
from tests.search.state import Op, Pair, Store, Working
from tests.search.values import LOCAL, frozen_attempt, frozen_row

MOST_KEPT = 400_000
"""Plans that are remembered at once."""


class JobDecision(NamedTuple):
    """What the plan says of one job."""

    job: str
    action: str
    phase: str
    is_refused: bool
    ops: tuple[Op, ...]
    next_time: datetime | None

    @property
    def is_change(self) -> bool:
        return self.action not in {"wait", "none"} and not self.is_refused


class Planner:
    """Plans, and remembers."""

    def __init__(
        self,
        plan: Callable[..., Plan] = reconcile.plan,
        change: Callable[[JobDecision], JobDecision] = lambda decision: decision,
    ) -> None:
        self._plan = plan
        self._change = change
        """Puts a mistake into what is decided, to see whether the search finds it."""
        self._known: dict[object, tuple[JobDecision, ...]] = {}
        self.asked = 0
        self.planned = 0

    def decide(
        self, working: Working, store: Store, looks: tuple[Look, ...], options: Options
    ) -> tuple[JobDecision, ...]:
        wanted = tuple(sorted(working.wanted.items()))
        kept = tuple(working.kept[path] for path in sorted(working.kept))
        key = (working.scene, wanted, working.moved, store._replace(epoch=0), looks, kept, options)
        self.asked += 1
        found = self._known.get(key)
        if found is None:
            if len(self._known) > MOST_KEPT:
                self._known.clear()
            self.planned += 1
            found = self._known[key] = self._decide(working.scene, wanted, working.moved, store, looks, kept, options)
        return found

    def _decide(
        self,
        scene: Scene,
        wanted: tuple[Pair, ...],
        moved: tuple[Pair, ...],
        store: Store,
        looks: tuple[Look, ...],
        kept: tuple[KeptResults, ...],
        options: Options,
    ) -> tuple[JobDecision, ...]:
        recorded = Recorded(jobs_of(store), serial=0 if store.is_new else 1, ghosts=store.ghosts)
        observed = {look.account: look.observation for look in looks}
        inventory = Inventory({str(one.attempt.results): one for one in kept})
        desired = desired_stack(scene, wanted, moved)
        manifests = {job.name: job for job in desired.jobs}
        made = self._plan(desired, recorded, observed, LOCAL, options, inventory)
        return tuple(
            self._change(
                JobDecision(
                    job.job,
                    str(job.action),
                    str(job.phase),
                    job.guard is not None,
                    tuple(_begin(step, manifests) for step in job.steps),
                    job.next_time,
                )
            )
            for job in made.jobs
        )


def _begin(step: Step, manifests: dict[str, DesiredJob]) -> Op:
    """The step as a process begins it. What it creates is what the manifests say now, whenever it gets to it."""
    match step:
        case Create(key, token):
            wanted = manifests[key.job]
            new = RecordedAttempt(key, wanted.account, wanted.digest, token or "", tree=wanted.tree, input_file=NO_FILE)
            return Op("step", step, new)
        case RecordAttempt(attempt, note):
            return Op("step", RecordAttempt(frozen_attempt(attempt), note))
        case RecordJob(row):
            return Op("step", RecordJob(frozen_row(row)))
        case Reuse(attempt, source):
            return Op("step", Reuse(frozen_attempt(attempt), source))
        case _:
            return Op("step", step)
