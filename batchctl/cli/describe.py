"""`batchctl describe NAME...`: everything about a job."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import click

from batchctl.cli.collected_rows import find_one, rows_of
from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.exits import weightiest
from batchctl.cli.job_case import job_case
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.output import Shown, emit_each
from batchctl.cli.preview import planned_jobs, preview_and_warn
from batchctl.cli.workspace import Workspace
from batchctl.engine.preview import Preview
from batchctl.model.errors import BatchctlError
from batchctl.model.plan import JobPlan
from batchctl.model.row_examples import RowExample
from batchctl.model.stack import SharedPlace
from batchctl.report.describe_document import describe_document
from batchctl.report.describe_text import write_description
from batchctl.report.description import JobDescription
from batchctl.report.verdict_rows import bad_verdicts
from batchctl.rows.row_examples import find_examples
from batchctl.rows.selection import RowSelection

_EVENTS = 20


@click.command()
@select_jobs(required=True)
@output_option("json", "yaml")
@common_options
def describe(*, common: Common, selection: JobSelection, output: str) -> int:
    """Show each job: errors, attempts, rows by verdict, what helps, history."""
    workspace = open_selected(common, selection)
    seen = preview_and_warn(workspace)
    jobs = [_describe(workspace, seen, job) for job in planned_jobs(workspace, seen, selection)]
    shown = [Shown(partial(write_description, job), partial(describe_document, job)) for job in jobs]
    emit_each(common, output, shown, alone=selection.names_one)
    return weightiest(error.exit_code for error in seen.errors.values())


def _describe(workspace: Workspace, seen: Preview, job: JobPlan) -> JobDescription:
    case = job_case(workspace, seen, job)
    return JobDescription(
        seen.plan.stack,
        job,
        desired=case.desired,
        recorded=case.recorded,
        events=case.events[-_EVENTS:],
        drift=tuple(item for item in seen.plan.drift if item.job == job.job),
        results=_results(workspace, job),
        case=case,
        examples=_examples(workspace, seen, job),
    )


def _results(workspace: Workspace, job: JobPlan) -> str | None:
    if job.attempt is None or job.attempt.results is None:
        return None
    return workspace.results.shown(workspace.results.root / job.attempt.results)


def _examples(workspace: Workspace, seen: Preview, job: JobPlan) -> Mapping[str, tuple[RowExample, ...]]:
    """A few rows of each verdict that is not good. Results in a bucket are not downloaded for that."""
    attempt = job.attempt
    if attempt is None or attempt.results is None or isinstance(workspace.stack.results, SharedPlace):
        return {}
    wanted = bad_verdicts(attempt.rows)
    if not wanted:
        return {}
    try:
        found = find_one(workspace, seen.recorded, job.job, None)
        rows = rows_of(found, workspace, RowSelection(codes=frozenset(wanted)), {}, join=False)
        return find_examples(rows, wanted)
    except BatchctlError:
        return {}  # `results` says what is wrong with them
