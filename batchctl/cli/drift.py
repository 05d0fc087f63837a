"""`batchctl drift`: changes that batchctl did not make."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.exits import Exit, weightiest
from batchctl.cli.github import annotate, in_actions, set_outputs, summarise
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.output import emit
from batchctl.cli.preview import preview_and_warn
from batchctl.cli.record_option import record_option
from batchctl.engine.tools import BlackBox
from batchctl.reconcile import Options
from batchctl.report.markdown import drift_markdown
from batchctl.report.plan_document import drift_document
from batchctl.report.plan_text import write_drift
from batchctl.report.workflow import plain_annotation

_SHOWN = 10
"""GitHub shows no more warnings of one step."""


@click.command()
@select_jobs()
@output_option("json", "yaml", "markdown", "name")
@click.option("--unmanaged", is_flag=True, help="Count jobs that batchctl does not manage as drift too.")
@record_option
@common_options
def drift(*, common: Common, selection: JobSelection, output: str, unmanaged: bool, black_box: BlackBox) -> int:
    """Report changes that were not made by batchctl (exit 3).

    For example jobs that somebody else cancelled or deleted.
    """
    workspace = open_selected(common, selection)
    seen = preview_and_warn(workspace, Options(workspace.scope, show_unmanaged=unmanaged), black_box)
    emit(
        common,
        output,
        text=lambda console: write_drift(seen.plan, console),
        document=lambda: drift_document(seen.plan),
        markdown=lambda: drift_markdown(seen.plan),
        names=list(dict.fromkeys(item.job for item in seen.plan.drift)),
    )
    if in_actions():
        summarise(drift_markdown(seen.plan) if seen.plan.drift or seen.plan.unread else "")
        set_outputs({"drift": bool(seen.plan.drift), "count": len(seen.plan.drift)})
        annotate(plain_annotation("warning", one.kind, f"{one.job}: {one.detail}") for one in seen.plan.drift[:_SHOWN])
    codes = [error.exit_code for error in seen.failures]
    if seen.plan.drift:
        codes.append(Exit.DRIFT)
    return weightiest(codes)
