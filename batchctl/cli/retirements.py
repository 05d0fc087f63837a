"""Warnings about models that are shut down soon, for `validate`."""

from __future__ import annotations

from collections.abc import Sequence

from batchctl.cli.workspace import Workspace
from batchctl.manifests.fault_codes import Code
from batchctl.model.cost.retirement import Retirement
from batchctl.model.desired import DesiredJob
from batchctl.model.locations import Diagnostic
from batchctl.model.recorded import Recorded


def warn_of_retirements(workspace: Workspace, jobs: Sequence[DesiredJob]) -> tuple[Diagnostic, ...]:
    """A warning for each model, at the first manifest that names it.

    By the price list and what batchctl knows. What answers of the model say is in the state, which is not opened here.
    """
    from batchctl.reconcile import find_retirements

    found = find_retirements(jobs, Recorded(), workspace.stack.prices, workspace.clock.now())
    places = {job.name: job.location for job in jobs}
    return tuple(
        Diagnostic(places[one.jobs[0]], Code.MODEL_RETIRES, f"{one.words} ({one.source})", _hint(one))
        for one in found
        if one.is_near
    )


def _hint(retirement: Retirement) -> str:
    return "change the model" if retirement.days < 0 else "change the model before that day"
