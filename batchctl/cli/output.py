"""Prints the result of a command: one document on standard output, in the requested format."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from batchctl.cli.common import Common
from batchctl.cli.workspace import Workspace
from batchctl.model.desired import Json
from batchctl.model.plan import Plan
from batchctl.model.recorded import Recorded
from batchctl.report.console import make_console
from batchctl.report.documents import to_json, to_names, to_yaml
from batchctl.report.live import AnyProgress, make_progress
from batchctl.report.reports import StatusReport, StatusRow


def stdout_console(common: Common) -> Console:
    """The console for results."""
    return make_console(sys.stdout, common.color, os.environ)


def stderr_console(common: Common) -> Console:
    """The console for everything else."""
    return make_console(sys.stderr, common.color, os.environ)


def open_progress(workspace: Workspace) -> AnyProgress:
    """The progress on standard error, for this terminal and these options."""
    common = workspace.common
    return make_progress(
        stderr_console(common),
        sys.stderr,
        workspace.clock,
        os.environ,
        log_format=common.log_format,
        quiet=common.quiet,
    ).follow(workspace.board)


def emit(
    common: Common,
    output: str,
    *,
    text: Callable[[Console], None],
    document: Callable[[], Mapping[str, Json]],
    markdown: Callable[[], str] | None = None,
    names: Sequence[str] = (),
) -> None:
    """Print a result in the requested format."""
    match output:
        case "json":
            sys.stdout.write(to_json(document()))
        case "yaml":
            sys.stdout.write(to_yaml(document()))
        case "name":
            sys.stdout.write(to_names(names))
        case "markdown":
            assert markdown is not None, "the command does not offer Markdown"
            sys.stdout.write(markdown())
        case _:
            text(stdout_console(common))


def status_report(workspace: Workspace, plan: Plan, recorded: Recorded) -> StatusReport:
    """The status of all jobs of a plan."""
    manifests = {job.name: job for job in workspace.desired.jobs}
    rows = []
    for job in plan.jobs:
        record = recorded.jobs.get(job.job)
        owner = manifests.get(job.job) if record is None else record.row
        model, provider = (owner.model, owner.provider) if owner else (None, None)
        if job.attempt is not None:
            # The manifest may have another model now.
            model = job.attempt.tree.get("model") or model
        rows.append(StatusRow.of(job, model=model, provider=provider, clocks=plan.clocks))
    return StatusReport(plan.stack, tuple(rows), plan.problems)
