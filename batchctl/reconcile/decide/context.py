"""The facts that every rule may use besides those of its own job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, field

from batchctl.model.decision import Decision
from batchctl.model.desired import DesiredJob, DesiredStack
from batchctl.model.inventory import Inventory
from batchctl.model.keys import Account
from batchctl.model.observed import Observed
from batchctl.model.recorded import Recorded
from batchctl.model.row_work import RowWork
from batchctl.model.stack import Stack
from batchctl.reconcile.options import Options
from batchctl.reconcile.view.clocks import provider_now
from batchctl.reconcile.view.collected import CollectedResults
from batchctl.reconcile.view.subject import Subject

T = TypeVar("T")
Decided = Mapping[str, tuple[Subject, Decision]]
"""The decisions by the name of their job."""


class Context(Struct, frozen=True):
    """The whole stack as this pass sees it, and the options of the command."""

    desired: DesiredStack
    recorded: Recorded
    observed: Observed
    now: datetime
    """The local clock. Ages and deadlines run on the provider's clock instead, see `clock_of`."""
    options: Options
    inventory: Inventory | None = None
    """The content of the results folder; None where it was not read."""
    collected: CollectedResults = field(default_factory=CollectedResults)
    """The part of it that is this stack's."""
    clashes: Mapping[str, str] = field(default_factory=dict)
    """Renames of `spec.moved` whose new name another recorded job has: the former name, and the new one."""
    decided: Decided = field(default_factory=dict)
    """The decisions already made. The jobs that a job depends on are decided before it."""

    def learn(self, lesson: Callable[[Recorded], T]) -> T:
        """See `Recorded.learn`."""
        return self.recorded.learn(lesson)

    @property
    def manifests(self) -> Mapping[str, DesiredJob]:
        """The desired jobs by name."""
        return self.desired.by_name

    @property
    def stack(self) -> Stack:
        """The stack file."""
        return self.desired.stack

    def clock_of(self, account: Account) -> datetime:
        """The provider's clock where it was seen, else the local one."""
        return provider_now(account, self.observed, self.now)

    def rows_of(self, subject: Subject) -> RowWork | None:
        """The rows of a job compared with its ledger; None where that was not read."""
        return None if self.inventory is None else self.inventory.rows.get(subject.name)

    def is_suspended(self, subject: Subject) -> bool:
        """Whether `suspend`, the job's or the stack's, holds back creates and retries."""
        return self.stack.suspend or subject.lifecycle.suspend
