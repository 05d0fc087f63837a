"""`batchctl diff NAME`: what changed in one job's work."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.exits import weightiest
from batchctl.cli.output import emit
from batchctl.cli.preview import preview_and_warn, require_planned
from batchctl.cli.workspace import open_workspace
from batchctl.report.plan_document import diff_document
from batchctl.report.plan_text import write_diff


@click.command()
@click.argument("name")
@output_option("json", "yaml")
@common_options
def diff(*, common: Common, name: str, output: str) -> int:
    """Compare a manifest with the recorded job.

    Prompts are shown as hashes.
    """
    workspace = open_workspace(common, names=[name])
    workspace.require([name], workspace.recorded)
    seen = preview_and_warn(workspace)
    require_planned(name, seen, workspace.stack)
    for job in seen.plan.jobs:
        emit(
            common,
            output,
            text=lambda console, job=job: write_diff(job, console),  # type: ignore[misc]
            document=lambda job=job: diff_document(seen.plan.stack, job),  # type: ignore[misc]
        )
    return weightiest(error.exit_code for error in seen.errors.values())
