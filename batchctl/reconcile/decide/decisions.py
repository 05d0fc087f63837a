"""The decisions about all jobs, while the rules for the whole stack work on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct, field
from msgspec.structs import replace

from batchctl.model.admission import QuotaKey
from batchctl.model.cost.spending import BudgetUse
from batchctl.model.decision import Decision, Guard
from batchctl.model.plan import Rename
from batchctl.reconcile.decide.context import Decided
from batchctl.reconcile.view.subject import Subject


class Decisions(Struct, frozen=True):
    """All decisions, and what the rules found out about the stack on the way."""

    jobs: Decided
    moving: AbstractSet[str]
    """The names of the jobs that a rule for the whole stack may be about. All others rest, see `rule.rests`."""
    guards: Mapping[str, Guard] = field(default_factory=dict)
    """Jobs whose decision is refused, as no flag allows it."""
    renames: tuple[Rename, ...] = ()
    """Jobs that look like another under a new name."""
    live: Mapping[QuotaKey, int] = field(default_factory=dict)
    """The number of active jobs of the stack, by quota."""
    budget: BudgetUse | None = None
    """How much of the limits of money and tokens is used; None without such limits."""

    def with_jobs(self, changed: Decided) -> Decisions:
        """The same with other decisions about some jobs."""
        if not changed:
            return self
        return replace(self, jobs={**self.jobs, **changed}, moving=self.moving | changed.keys())

    def of_moving(self) -> Iterator[tuple[str, Subject, Decision]]:
        """The jobs that do not rest, by name."""
        for name in sorted(self.moving):
            yield name, *self.jobs[name]

    def map(self, change: Callable[[Subject, Decision], Decision]) -> Decisions:
        """The same with each decision changed about a job that does not rest."""
        changed = {}
        for name, subject, one in self.of_moving():
            after = change(subject, one)
            if after is not one:
                changed[name] = (subject, after)
        return self.with_jobs(changed)
