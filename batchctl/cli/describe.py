"""`batchctl describe NAME`: everything about one job."""

from __future__ import annotations

import os
from pathlib import Path

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.exits import weightiest
from batchctl.cli.output import emit
from batchctl.cli.preview import preview_and_warn, require_planned
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.model.plan import JobPlan
from batchctl.report.describe_document import describe_document
from batchctl.report.describe_text import write_description
from batchctl.report.reports import JobDescription

_EVENTS = 20


@click.command()
@click.argument("name")
@output_option("json", "yaml")
@common_options
def describe(*, common: Common, name: str, output: str) -> int:
    """Show one job: manifest, attempts, results and history."""
    workspace = open_workspace(common, names=[name])
    workspace.require([name], workspace.recorded)
    seen = preview_and_warn(workspace)
    require_planned(name, seen, workspace.stack)
    for job in seen.plan.jobs:
        description = JobDescription(
            seen.plan.stack,
            job,
            desired=next((desired for desired in workspace.desired.jobs if desired.name == name), None),
            recorded=seen.recorded.jobs.get(name),
            events=tuple(workspace.state.events(name, _EVENTS)),
            drift=tuple(item for item in seen.plan.drift if item.job == name),
            results=_results(workspace, job),
        )
        emit(
            common,
            output,
            text=lambda console, shown=description: write_description(shown, console),  # type: ignore[misc]
            document=lambda shown=description: describe_document(shown),  # type: ignore[misc]
        )
    return weightiest(error.exit_code for error in seen.errors.values())


def _results(workspace: Workspace, job: JobPlan) -> str | None:
    if job.attempt is None or job.attempt.results is None:
        return None
    return os.path.relpath(workspace.stack.results / Path(job.attempt.results))
