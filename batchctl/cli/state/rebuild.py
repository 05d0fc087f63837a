"""`batchctl state rebuild`: rebuild a lost or damaged state."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, lock_option, output_option
from batchctl.cli.engine_tools import open_tools
from batchctl.cli.output import emit, show_error
from batchctl.cli.plan_output import open_progress
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.engine.rebuilding import NotReadInFullError, RebuiltState, rebuild_state
from batchctl.model.recorded import Recorded
from batchctl.report.state_document import RebuildReport, rebuild_document
from batchctl.report.state_text import write_rebuild
from batchctl.rows.kept import KeptFolder


@click.command()
@click.option("--force", is_flag=True, help="Replace a state that is valid.")
@output_option("json", "yaml")
@lock_option
@common_options
def rebuild(*, common: Common, force: bool, output: str, lock_timeout: str) -> None:
    """Rebuild a lost state from the jobs' marks and results/.

    The old file is kept. Every account of the stack has to be readable in full. Nothing is changed at the API.
    """
    workspace = open_workspace(common, lock_timeout=lock_timeout)
    former = workspace.state.read_former(force=force)
    folder = workspace.results.kept()
    rebuilt = _rebuild(workspace, former, folder)
    aside = workspace.state.rewrite(rebuilt.writes, former, force=force)
    report = RebuildReport(
        workspace.stack.name, rebuilt.jobs, rebuilt.left_out, folder.faults, aside, calls_known=not former.is_new
    )
    emit(
        common,
        output,
        text=lambda console: write_rebuild(report, console),
        document=lambda: rebuild_document(report),
    )


def _rebuild(workspace: Workspace, former: Recorded, folder: KeptFolder) -> RebuiltState:
    with open_progress(workspace) as progress:
        tools = open_tools(workspace, progress)
        try:
            return rebuild_state(workspace.desired, former, folder.kept, tools)
        except NotReadInFullError as problem:
            failed = problem
        finally:
            tools.providers.close()
    for error in failed.errors.values():
        show_error(error, workspace.common)
    raise failed
