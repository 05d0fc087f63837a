"""`batchctl plan`: show what `apply` would do."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from msgspec import Struct

from batchctl.cli import complete
from batchctl.cli.common import WIDE, Common, common_options, guard_options, output_option
from batchctl.cli.engine_tools import token_samples
from batchctl.cli.events_file import events_option
from batchctl.cli.exits import Exit, weightiest
from batchctl.cli.github import annotate, in_actions, set_outputs, summarise
from batchctl.cli.guard_options import Flag, guarded_options
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.output import emit
from batchctl.cli.plan_options import PlanOptions
from batchctl.cli.preview import preview_and_warn, warn_of_manifests
from batchctl.cli.record_option import record_option
from batchctl.cli.reports import Reports, report_option, write_reports
from batchctl.cli.workspace import Workspace
from batchctl.engine.preview import Approve
from batchctl.engine.tools import BlackBox, keep_nothing
from batchctl.model.plan import Plan
from batchctl.model.plan_digest import PlanDigest
from batchctl.reconcile import Options
from batchctl.report.documents import to_json
from batchctl.report.markdown import plan_markdown
from batchctl.report.plan_document import acting_jobs, all_guards, plan_document, terraform_report
from batchctl.report.plan_text import write_plan
from batchctl.report.prompts import with_prompts
from batchctl.report.run_events import RunEvents
from batchctl.report.workflow import plain_annotation


@click.command()
@select_jobs()
@output_option(WIDE, "json", "yaml", "markdown", "name", "gitlab")
@click.option(
    "--out", metavar="FILE", shell_complete=complete.files, help="Also save the plan as JSON, for `apply FILE`."
)
@report_option("json", "markdown", "gitlab")
@click.option(
    "--show-prompts", is_flag=True, help="Show changed prompts and rows in text and Markdown, instead of hashes."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@guard_options
@record_option
@events_option("plan")
@common_options
def plan(
    *,
    common: Common,
    selection: JobSelection,
    output: str,
    out: str | None,
    reports: Reports,
    show_prompts: bool,
    detailed_exitcode: bool,
    events: RunEvents,
    black_box: BlackBox,
    **guards: Flag,
) -> int:
    """Show what `apply` would do, and why.

    Takes no lock, and writes nothing but the files of its options. `apply FILE` does exactly what the saved plan says,
    and `apply --expect DIGEST` what a plan with that digest says; both refuse when something has changed since.
    """
    workspace = open_selected(common, selection)
    options = guarded_options(workspace, guards)
    given = PlanOptions.of(workspace, selection.selector, guards)
    if out is not None:
        given.require_readable()
        reports = (("json", out), *reports)
    shown = PlanOutput(
        output,
        given,
        reports,
        show_prompts=show_prompts,
        detailed_exitcode=detailed_exitcode,
        events=events,
        black_box=black_box,
    )
    return show_plan(workspace, options, shown)


class PlanOutput(Struct, frozen=True):
    """How a plan is shown."""

    form: str
    options: PlanOptions
    reports: Reports = ()
    """Further formats, with their files."""
    show_prompts: bool = False
    """In what people read."""
    detailed_exitcode: bool = False
    reviewed: Approve | None = None
    """Raises GuardError after the output unless the plan is the reviewed one."""
    events: RunEvents | None = None
    black_box: BlackBox = keep_nothing


def show_plan(workspace: Workspace, options: Options, shown: PlanOutput) -> int:
    """Print the plan and give the exit code."""
    warn_of_manifests(workspace)
    seen = preview_and_warn(workspace, options, shown.black_box, token_samples(workspace))
    plan = seen.plan
    if shown.events is not None:
        shown.events.planned(plan)
    readable = with_prompts(plan) if shown.show_prompts else plan
    writers: dict[str, Callable[[], str]] = {
        "json": lambda: to_json(plan_document(plan, shown.options.fields())),
        "markdown": lambda: plan_markdown(readable),
        "gitlab": lambda: to_json(terraform_report(plan)),
    }
    write_reports(shown.reports, writers)
    if shown.form in writers:
        sys.stdout.write(writers[shown.form]())
    else:
        emit(
            workspace.common,
            shown.form,
            text=lambda console: write_plan(readable, console, verbose=workspace.common.verbose),
            document=lambda: plan_document(plan, shown.options.fields()),
            names=acting_jobs(plan),
        )
    _tell_github(plan)
    if shown.reviewed is not None:
        shown.reviewed(plan)
    codes = [error.exit_code for error in seen.failures]
    codes += [Exit.REFUSED] if plan.guards else []
    if shown.detailed_exitcode and plan.has_changes:
        codes.append(Exit.CHANGES)
    return weightiest(codes)


def _tell_github(plan: Plan) -> None:
    """The summary and the outputs of a step, and an annotation for each refusal."""
    if in_actions():
        summarise(plan_markdown(plan))
        set_outputs({"digest": str(PlanDigest.of(plan)), "changes": plan.has_more_than_results, **plan.summary()})
        words = ((guard.code, f"{guard.message} ({guard.way_out})") for guard in all_guards(plan))
        annotate(plain_annotation("error", code, text) for code, text in words)
