"""`batchctl status`: the phase of each job."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, output_option, scope_options
from batchctl.cli.empty_scope import warn_of_empty_scope
from batchctl.cli.exits import weightiest
from batchctl.cli.output import emit
from batchctl.cli.plan_output import status_report
from batchctl.cli.preview import preview_and_warn
from batchctl.cli.workspace import open_workspace
from batchctl.report.job_document import status_document
from batchctl.report.markdown import status_markdown
from batchctl.report.status_text import write_status


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@scope_options
@output_option("json", "yaml", "markdown", "name")
@common_options
def status(
    *, common: Common, names: tuple[str, ...], filenames: tuple[str, ...], selector: str | None, output: str
) -> int:
    """Show the phase, rows and times of each job.

    Takes no lock and writes nothing.
    """
    workspace = open_workspace(common, filenames, selector, names)
    workspace.require(names, workspace.recorded)
    warn_of_empty_scope(workspace, filenames, selector, workspace.recorded)
    seen = preview_and_warn(workspace)
    report = status_report(workspace, seen.plan, seen.recorded)
    emit(
        common,
        output,
        text=lambda console: write_status(report, console, workspace.clock.now(), verbose=common.verbose),
        document=lambda: status_document(report),
        markdown=lambda: status_markdown(report),
        names=[row.job for row in report.jobs],
    )
    return weightiest(error.exit_code for error in seen.errors.values())
