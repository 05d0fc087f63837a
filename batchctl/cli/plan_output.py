"""The progress and the status report of commands that make a plan."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from batchctl.cli.notes import json_log
from batchctl.cli.output import stderr_console
from batchctl.cli.workspace import Workspace
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.model.stack import SharedPlace
from batchctl.report.progress_kinds import make_progress
from batchctl.report.reports import StatusReport, StatusRow

if TYPE_CHECKING:
    from batchctl.report.progress_kinds import AnyProgress


def shown_place(place: Path | SharedPlace) -> str:
    """The place of a state or of results, for people."""
    return str(place) if isinstance(place, SharedPlace) else os.path.relpath(place)


def open_progress(workspace: Workspace) -> AnyProgress:
    """The progress on standard error, for this terminal and these options."""
    common = workspace.common
    return make_progress(
        stderr_console(common),
        sys.stderr,
        workspace.clock,
        os.environ,
        log=json_log(),
        quiet=common.quiet,
        verbose=common.verbose,
    ).follow(workspace.board)


def status_report(workspace: Workspace, plan: Plan, recorded: Recorded) -> StatusReport:
    """The status of all jobs of a plan."""
    manifests = workspace.desired.by_name
    rows = []
    for job in plan.jobs:
        record = recorded.jobs.get(job.job)
        owner = manifests.get(job.job) if record is None else record.row
        model, provider = (owner.model, owner.provider) if owner else (None, None)
        if job.attempt is not None:
            # The manifest may have another model now.
            model = job.attempt.tree.get("model") or model
        rows.append(StatusRow.of(job, model=model, provider=provider, clocks=plan.clocks))
    results = shown_place(workspace.stack.results)
    return StatusReport(plan.stack, tuple(rows), plan.unread, results, plan.forecast, plan.budget, plan.retirements)
