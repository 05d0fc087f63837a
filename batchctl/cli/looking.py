"""What the commands that only look share: one preview, without lock or write."""

from __future__ import annotations

from batchctl.cli.output import open_progress, stderr_console
from batchctl.cli.workspace import Workspace
from batchctl.engine.passes import Preview, preview
from batchctl.reconcile import Options
from batchctl.report.error_text import write_error


def glance(workspace: Workspace, options: Options) -> Preview:
    """Observe and plan, and say nothing. Raises StateError."""
    with open_progress(workspace) as progress:
        tools = workspace.tools(progress)
        try:
            return preview(workspace.desired, options, tools)
        finally:
            tools.providers.close()


def look(workspace: Workspace, options: Options | None = None) -> Preview:
    """Observe and plan. Accounts that cannot be read are told on standard error. Raises StateError."""
    seen = glance(workspace, options or Options(workspace.scope))
    for error in seen.errors.values():
        write_error(error, stderr_console(workspace.common), verbose=workspace.common.verbose)
    return seen
