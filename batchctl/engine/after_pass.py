"""The state of all jobs after a pass: what the next pass would decide if nothing happened in between.

A plan is made before its pass acts. Readers of a report want to see its effects, too.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from msgspec import Struct

from batchctl.model.desired import DesiredStack
from batchctl.model.inventory import Inventory
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile import Options, Question


class AfterPass(Struct, frozen=True, dict=True):
    """The stack after a pass, as the next plan would see it."""

    desired: DesiredStack
    recorded: Recorded
    observed: Observed
    """The observation at the start of the pass, with the effects of its own calls."""
    begun: datetime
    """The start of the pass, on the local clock."""
    options: Options
    inventory: Inventory | None = None
    """The content of the results folder after the pass."""

    @cached_property
    def next_plan(self) -> Plan:
        """The plan that the next pass would make."""
        return Question(self.desired, self.recorded, self.observed, self.begun, self.options, self.inventory).answer()
