"""The real `plan` on the state of a small world. The same input is planned once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from batchctl import reconcile
from batchctl.model.attempts import RecordedAttempt
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import Inventory, KeptResults
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.row_work import RowWork
from batchctl.model.steps import Assemble, Create, RecordAttempt, RecordJob, Reuse, Step
from batchctl.reconcile import NO_FILE, Options, rows_to_survey
from tests.search.broken import BrokenPromise
from tests.search.ledger import Histories, Segment, survey
from tests.search.looks import Look
from tests.search.record import jobs_of
from tests.search.scenes import Scene, input_of
from tests.search.state import Op, Store, Working
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
        ledger, desired = tuple(working.ledger[path] for path in sorted(working.ledger)), working.desired()
        key = (
            working.scene,
            wanted,
            working.moved,
            working.made(),
            store._replace(epoch=0),
            looks,
            kept,
            ledger,
            options,
        )
        self.asked += 1
        found = self._known.get(key)
        if found is None:
            if len(self._known) > MOST_KEPT:
                self._known.clear()
            self.planned += 1
            found = self._known[key] = self._decide(working.scene, desired, store, looks, kept, ledger, options)
        return found

    def _decide(
        self,
        scene: Scene,
        desired: DesiredStack,
        store: Store,
        looks: tuple[Look, ...],
        kept: tuple[KeptResults, ...],
        ledger: tuple[Segment, ...],
        options: Options,
    ) -> tuple[JobDecision, ...]:
        recorded = Recorded(jobs_of(store), serial=0 if store.is_new else 1, ghosts=store.ghosts)
        observed = {look.account: look.observation for look in looks}
        rows = {} if scene.rows is None else _survey(scene, desired, recorded, ledger, options)
        inventory = Inventory({str(one.attempt.results): one for one in kept}, rows=rows)
        manifests = {job.name: job for job in desired.jobs}
        try:
            made = self._plan(desired, recorded, observed, LOCAL, options, inventory)
        except Exception as error:
            raise BrokenPromise(f"the plan fails: {error!r}") from error
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


def _survey(
    scene: Scene, desired: DesiredStack, recorded: Recorded, ledger: tuple[Segment, ...], options: Options
) -> dict[str, RowWork]:
    """The rows of the jobs whose next attempt depends on them."""
    found = {}
    for job, choice in rows_to_survey(desired, recorded, options):
        work = survey(input_of(scene, job), Histories(ledger, job.name, choice.accept, choice.since), choice)
        if work is not None:
            found[job.name] = work
    return found


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
        case Assemble(attempt, rows):
            return Op("step", Assemble(frozen_attempt(attempt), rows))
        case _:
            return Op("step", step)
