"""A plan for commands that only read: it takes no lock and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchctl.cli.common import Invocation
from batchctl.cli.engine_tools import open_tools
from batchctl.cli.github import annotate_error
from batchctl.cli.job_selection import JobSelection, selected_names
from batchctl.cli.output import show_error, show_warnings
from batchctl.cli.plan_output import open_progress
from batchctl.cli.workspace import Workspace
from batchctl.engine.preview import Preview, preview
from batchctl.engine.tools import BlackBox, keep_nothing
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.plan import JobPlan
from batchctl.model.stack import Stack
from batchctl.reconcile import Options, final_names

if TYPE_CHECKING:  # see `token_samples`
    from batchctl.engine.token_samples import TokenSamples


def warn_of_manifests(workspace: Workspace) -> None:
    """Show the warnings about the manifests. Raises StateError."""
    from batchctl.cli.short_deadlines import warn_by_record

    show_warnings((*workspace.desired.warnings, *warn_by_record(workspace)), workspace.common)


def preview_plan(
    workspace: Workspace,
    options: Options,
    black_box: BlackBox = keep_nothing,
    samples: TokenSamples | None = None,
) -> Preview:
    """Observe and plan. Raises StateError."""
    with open_progress(workspace) as progress:
        tools = open_tools(workspace, progress, black_box, samples)
        try:
            return preview(workspace.desired, options, tools, workspace.recorded)
        finally:
            tools.providers.close()


def preview_and_warn(
    workspace: Workspace,
    options: Options | None = None,
    black_box: BlackBox = keep_nothing,
    samples: TokenSamples | None = None,
) -> Preview:
    """Observe and plan, and print an error for each account that cannot be read. Raises StateError.

    For commands that end once they have shown what was seen.
    """
    seen = preview_plan(workspace, options or Options(workspace.scope), black_box, samples)
    if Invocation.current is not None:
        Invocation.current.kept = (workspace.desired, seen)
    for error in seen.failures:
        show_error(error, workspace.common)
        annotate_error(error)
    return seen


def planned_jobs(workspace: Workspace, seen: Preview, selection: JobSelection) -> list[JobPlan]:
    """The selected jobs of the plan. Raises BatchctlError for a named one that is not in it."""
    found = {job.job: job for job in seen.plan.jobs}
    names = selected_names(workspace, selection, seen.recorded)
    for name in names:
        if name in selection.names and name not in found:
            raise _not_planned(name, seen, workspace.stack)
    return [found[name] for name in names if name in found]


def _not_planned(name: str, seen: Preview, stack: Stack) -> BatchctlError:
    """The error for a job that is not in the plan: it was released, or has another name now."""
    record, after = seen.recorded.jobs.get(name), final_names(stack.moved).get(name)
    if after is not None:
        message, hint = f"{name} is {after} now (spec.moved)", f"ask for {after}"
    elif record is not None and record.row.released_time is not None:
        policy = record.row.lifecycle.on_remove.value
        message = f"{name} is released (onRemove: {policy}); batchctl no longer manages its remote jobs"
        hint = f"`batchctl state show {name}` shows its record; with a manifest of that name it is managed again"
    else:
        message, hint = f"there is no plan for {name}", "`batchctl status` lists the jobs"
    return BatchctlError(message, code=ErrorCode.JOB_NOT_FOUND, hint=hint)
