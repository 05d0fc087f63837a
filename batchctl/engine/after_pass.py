"""How the jobs stand once a pass is over: what the next one would decide if nothing happened meanwhile.

A plan is made before its pass acts. People who are shown it afterwards want to know what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from batchctl.model.desired import DesiredStack
from batchctl.model.kept import Inventory
from batchctl.model.observed import Observed
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.reconcile import Options, plan


@dataclass(frozen=True)
class AfterPass:
    """All that a pass leaves behind, as a plan sees it."""

    desired: DesiredStack
    recorded: Recorded
    observed: Observed
    """The look that the pass began with, and what its own calls showed since."""
    begun: datetime
    """When it began, on the local clock."""
    options: Options
    inventory: Inventory | None = None
    """What lies in the results folder by then."""

    def next_plan(self) -> Plan:
        """How the jobs stand."""
        return plan(self.desired, self.recorded, self.observed, self.begun, self.options, self.inventory)
