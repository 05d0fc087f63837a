"""`batchctl status`: the phase of each job."""

from __future__ import annotations

from collections.abc import Mapping

import click

from batchctl.cli.common import WIDE, Common, common_options, output_option
from batchctl.cli.exits import weightiest
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.output import emit
from batchctl.cli.plan_output import status_report
from batchctl.cli.preview import preview_and_warn
from batchctl.cli.sort_key import SortKeyType
from batchctl.model.errors import UsageError
from batchctl.model.json_value import Json
from batchctl.report.status_order import SortKey, sort_status
from batchctl.report.status_text import write_status


@click.command()
@select_jobs()
@output_option(WIDE, "json", "yaml", "markdown", "name")
@click.option("--sort-by", type=SortKeyType(), metavar="KEY", help=f"Sort by {', '.join(SortKey)} (default: job).")
@click.option("-w", "--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@common_options
def status(*, common: Common, selection: JobSelection, output: str, sort_by: SortKey | None, watch: bool) -> int:
    """Show the phase, rows and times of each job.

    Takes no lock and writes nothing, with --watch too: only `apply` and `watch` collect, retry and create. --watch
    shows a table on a terminal, and elsewhere a line with its time for each change.
    """
    if watch and output != "text":
        raise UsageError("--watch shows text", hint="`batchctl watch --events FILE` writes events for programs")
    workspace = open_selected(common, selection)
    if watch:
        from batchctl.cli.status_watch import watch_status

        return watch_status(workspace, sort_by)
    seen = preview_and_warn(workspace)
    report = sort_status(status_report(workspace, seen.plan, seen.recorded), sort_by or SortKey.JOB)

    def document() -> Mapping[str, Json]:
        from batchctl.report.job_document import status_document

        return status_document(report)

    def markdown() -> str:
        from batchctl.report.markdown import status_markdown

        return status_markdown(report)

    emit(
        common,
        output,
        text=lambda console: write_status(report, console, workspace.clock.now(), verbose=common.verbose),
        document=document,
        markdown=markdown,
        names=[row.job for row in report.jobs],
    )
    return weightiest(error.exit_code for error in seen.failures)
