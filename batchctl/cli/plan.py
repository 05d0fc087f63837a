"""`batchctl plan`: show what `apply` would do."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, guard_options, output_option, scope_options
from batchctl.cli.empty_scope import warn_of_empty_scope
from batchctl.cli.exits import Exit, weightiest
from batchctl.cli.guard_options import Flag, guarded_options
from batchctl.cli.output import emit, stderr_console
from batchctl.cli.preview import preview_and_warn
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.reconcile import Options
from batchctl.report.error_text import write_warnings
from batchctl.report.markdown import plan_markdown
from batchctl.report.plan_document import plan_document
from batchctl.report.plan_text import write_plan


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@scope_options
@output_option("json", "yaml", "markdown", "name")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@guard_options
@common_options
def plan(
    *,
    common: Common,
    names: tuple[str, ...],
    filenames: tuple[str, ...],
    selector: str | None,
    output: str,
    detailed_exitcode: bool,
    **guards: Flag,
) -> int:
    """Show what `apply` would do, and why.

    Takes no lock and writes nothing.
    """
    workspace = open_workspace(common, filenames, selector, names)
    workspace.require(names, workspace.recorded)
    warn_of_empty_scope(workspace, filenames, selector, workspace.recorded)
    options = guarded_options(workspace, guards)
    return show_plan(workspace, options, output, detailed_exitcode=detailed_exitcode)


def show_plan(workspace: Workspace, options: Options, output: str, *, detailed_exitcode: bool) -> int:
    """Print the plan and give the exit code."""
    write_warnings(workspace.desired.warnings, stderr_console(workspace.common))
    seen = preview_and_warn(workspace, options)
    emit(
        workspace.common,
        output,
        text=lambda console: write_plan(seen.plan, console, verbose=workspace.common.verbose),
        document=lambda: plan_document(seen.plan),
        markdown=lambda: plan_markdown(seen.plan),
        names=[job.job for job in seen.plan.jobs],
    )
    codes = [error.exit_code for error in seen.errors.values()]
    codes += [Exit.REFUSED] if seen.plan.guards else []
    if detailed_exitcode and seen.plan.has_changes:
        codes.append(Exit.CHANGES)
    return weightiest(codes)
