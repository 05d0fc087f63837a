"""The complete input of one decision."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from batchctl.model.desired import DesiredStack
from batchctl.model.inventory import Inventory
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile.fold import Stage
from batchctl.reconcile.options import Options
from batchctl.reconcile.planner import plan, trace_job


class Question(Struct, frozen=True):
    """The input of `plan`, whose parameters have the same names."""

    desired: DesiredStack
    recorded: Recorded
    observed: Observed
    now: datetime
    options: Options
    inventory: Inventory | None

    def answer(self) -> Plan:
        """The plan. The same input gives the same plan."""
        return plan(self.desired, self.recorded, self.observed, self.now, self.options, self.inventory)

    def trace(self, job: str) -> tuple[Stage, ...]:
        """How the decision about a job of the plan comes about, rule by rule."""
        return trace_job(job, self.desired, self.recorded, self.observed, self.now, self.options, self.inventory)
