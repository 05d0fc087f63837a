"""`batchctl plan`: show what `apply` would do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from batchctl.cli.common import Common, common_options, guard_options, output_option, scope_options
from batchctl.cli.empty_scope import warn_of_empty_scope
from batchctl.cli.exits import Exit, weightiest
from batchctl.cli.guard_options import Flag, guarded_options
from batchctl.cli.out_file import open_out
from batchctl.cli.output import emit, stderr_console
from batchctl.cli.plan_options import PlanOptions
from batchctl.cli.preview import preview_and_warn
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.engine.passes import Approve
from batchctl.reconcile import Options
from batchctl.report.documents import to_json
from batchctl.report.error_text import write_warnings
from batchctl.report.markdown import plan_markdown
from batchctl.report.plan_document import plan_document
from batchctl.report.plan_text import write_plan


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@scope_options
@output_option("json", "yaml", "markdown", "name")
@click.option("--out", metavar="FILE", help="Also save the plan as JSON, for `apply FILE`.")
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
    out: str | None,
    detailed_exitcode: bool,
    **guards: Flag,
) -> int:
    """Show what `apply` would do, and why.

    Takes no lock, and writes nothing but the file of --out. `apply FILE` does exactly what the saved plan says, and
    `apply --expect DIGEST` what a plan with that digest says; both refuse when something has changed since.
    """
    workspace = open_workspace(common, filenames, selector, names)
    workspace.require(names, workspace.recorded)
    warn_of_empty_scope(workspace, filenames, selector, workspace.recorded)
    options = guarded_options(workspace, guards)
    given = PlanOptions.of(workspace, selector, guards)
    if out is not None:
        given.filenames(common)
    return show_plan(workspace, options, PlanOutput(output, given, out, detailed_exitcode=detailed_exitcode))


@dataclass(frozen=True)
class PlanOutput:
    """How a plan is shown."""

    form: str
    options: PlanOptions
    out: str | None = None
    """The file to save it to."""
    detailed_exitcode: bool = False
    reviewed: Approve | None = None
    """Raises GuardError after the output unless the plan is the reviewed one."""


def show_plan(workspace: Workspace, options: Options, shown: PlanOutput) -> int:
    """Print the plan and give the exit code."""
    write_warnings(workspace.desired.warnings, stderr_console(workspace.common))
    seen = preview_and_warn(workspace, options)
    document = plan_document(seen.plan, shown.options.fields())
    if shown.out is not None:
        with open_out(Path(shown.out)) as stream:
            stream.write(to_json(document).encode())
    emit(
        workspace.common,
        shown.form,
        text=lambda console: write_plan(seen.plan, console, verbose=workspace.common.verbose),
        document=lambda: document,
        markdown=lambda: plan_markdown(seen.plan),
        names=[job.job for job in seen.plan.jobs],
    )
    if shown.reviewed is not None:
        shown.reviewed(seen.plan)
    codes = [error.exit_code for error in seen.errors.values()]
    codes += [Exit.REFUSED] if seen.plan.guards else []
    if shown.detailed_exitcode and seen.plan.has_changes:
        codes.append(Exit.CHANGES)
    return weightiest(codes)
