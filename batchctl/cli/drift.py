"""`batchctl drift`: changes that batchctl did not make."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, output_option, scope_options
from batchctl.cli.empty_scope import warn_of_empty_scope
from batchctl.cli.exits import Exit, weightiest
from batchctl.cli.github import annotate, in_actions, set_outputs, summarise
from batchctl.cli.output import emit
from batchctl.cli.preview import preview_and_warn
from batchctl.cli.workspace import open_workspace
from batchctl.reconcile import Options
from batchctl.report.markdown import drift_markdown
from batchctl.report.plan_document import drift_document
from batchctl.report.plan_text import write_drift
from batchctl.report.workflow import plain_annotation

_SHOWN = 10
"""GitHub shows no more warnings of one step."""


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@scope_options
@output_option("json", "yaml", "markdown", "name")
@click.option("--unmanaged", is_flag=True, help="Count jobs that batchctl does not manage as drift too.")
@common_options
def drift(
    *,
    common: Common,
    names: tuple[str, ...],
    filenames: tuple[str, ...],
    selector: str | None,
    output: str,
    unmanaged: bool,
) -> int:
    """Report changes that were not made by batchctl (exit 3).

    For example jobs that somebody else cancelled or deleted.
    """
    workspace = open_workspace(common, filenames, selector, names)
    workspace.require(names, workspace.recorded)
    warn_of_empty_scope(workspace, filenames, selector, workspace.recorded)
    seen = preview_and_warn(workspace, Options(workspace.scope, show_unmanaged=unmanaged))
    emit(
        common,
        output,
        text=lambda console: write_drift(seen.plan, console),
        document=lambda: drift_document(seen.plan),
        markdown=lambda: drift_markdown(seen.plan),
        names=list(dict.fromkeys(item.job for item in seen.plan.drift)),
    )
    if in_actions():
        summarise(drift_markdown(seen.plan) if seen.plan.drift or seen.plan.problems else "")
        set_outputs({"drift": bool(seen.plan.drift), "count": len(seen.plan.drift)})
        annotate(plain_annotation("warning", one.kind, f"{one.job}: {one.detail}") for one in seen.plan.drift[:_SHOWN])
    codes = [error.exit_code for error in seen.errors.values()]
    if seen.plan.drift:
        codes.append(Exit.DRIFT)
    return weightiest(codes)
