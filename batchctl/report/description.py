"""The values of `describe`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from batchctl.model.desired import DesiredJob
from batchctl.model.events import Event
from batchctl.model.plan import Drift, JobPlan
from batchctl.model.recorded import RecordedJob
from batchctl.model.row_examples import RowExample
from batchctl.report.explain import JobCase


class JobDescription(Struct, frozen=True):
    """All facts about one job. At least one of `desired` and `recorded` is set."""

    stack: str
    plan: JobPlan
    desired: DesiredJob | None = None
    recorded: RecordedJob | None = None
    events: tuple[Event, ...] = ()
    """Oldest first."""
    drift: tuple[Drift, ...] = ()
    results: str | None = None
    """The path of the current results, to be shown as it is."""
    case: JobCase | None = None
    """The facts for its error, its next step and the commands that help; None: those that follow from the others."""
    examples: Mapping[str, tuple[RowExample, ...]] = field(default_factory=dict)
    """A few rows of each verdict that is not good."""

    @property
    def facts(self) -> JobCase:
        """The facts for its error, its next step and the commands that help."""
        return self.case or JobCase(self.stack, self.plan, self.desired, self.recorded, events=self.events)
