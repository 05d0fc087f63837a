"""`batchctl describe NAME...`: everything about a job."""

from __future__ import annotations

from functools import partial

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.exits import weightiest
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.output import Shown, emit_each
from batchctl.cli.preview import planned_jobs, preview_and_warn
from batchctl.cli.workspace import Workspace
from batchctl.engine.preview import Preview
from batchctl.model.plan import JobPlan
from batchctl.report.describe_document import describe_document
from batchctl.report.describe_text import write_description
from batchctl.report.reports import JobDescription

_EVENTS = 20


@click.command()
@select_jobs(required=True)
@output_option("json", "yaml")
@common_options
def describe(*, common: Common, selection: JobSelection, output: str) -> int:
    """Show each job: manifest, attempts, results and history."""
    workspace = open_selected(common, selection)
    seen = preview_and_warn(workspace)
    jobs = [_describe(workspace, seen, job) for job in planned_jobs(workspace, seen, selection)]
    shown = [Shown(partial(write_description, job), partial(describe_document, job)) for job in jobs]
    emit_each(common, output, shown, alone=selection.names_one)
    return weightiest(error.exit_code for error in seen.errors.values())


def _describe(workspace: Workspace, seen: Preview, job: JobPlan) -> JobDescription:
    return JobDescription(
        seen.plan.stack,
        job,
        desired=next((desired for desired in workspace.desired.jobs if desired.name == job.job), None),
        recorded=seen.recorded.jobs.get(job.job),
        events=tuple(workspace.state.events(job.job, _EVENTS)),
        drift=tuple(item for item in seen.plan.drift if item.job == job.job),
        results=_results(workspace, job),
    )


def _results(workspace: Workspace, job: JobPlan) -> str | None:
    if job.attempt is None or job.attempt.results is None:
        return None
    return workspace.results.shown(workspace.results.root / job.attempt.results)
