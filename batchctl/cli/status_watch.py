"""`batchctl status -w`: the status, kept up to date. Only looks."""

from __future__ import annotations

import os
import sys

from batchctl.cli.engine_tools import open_tools
from batchctl.cli.manifest_reload import ManifestReload
from batchctl.cli.output import stdout_console
from batchctl.cli.plan_output import status_report
from batchctl.cli.start_signals import INTERRUPTED
from batchctl.cli.workspace import Workspace
from batchctl.engine.loop.looks import Looks
from batchctl.engine.loop.polling import Pace
from batchctl.reconcile import Options
from batchctl.report.console import is_terminal
from batchctl.report.status_order import SortKey, sort_status
from batchctl.report.status_watch import LiveStatus, StatusLines, by_attention


def watch_status(workspace: Workspace, sort_by: SortKey | None) -> int:
    """Show the jobs until a signal ends it; gives the exit code. Raises what the first look raises."""
    common, reload = workspace.common, ManifestReload(workspace)
    view = (
        LiveStatus(stdout_console(common), workspace.clock, verbose=common.verbose)
        if is_terminal(sys.stdout, os.environ)
        else StatusLines(sys.stdout, sys.stderr, workspace.clock)
    )
    with view:
        tools = open_tools(workspace, view)
        looks = Looks(reload, Options(workspace.scope), tools, None, Pace())
        try:
            while True:
                seen = looks.look()
                report = status_report(reload.workspace, seen.plan, seen.recorded)
                view.show(by_attention(report) if sort_by is None else sort_status(report, sort_by))
                looks.pause(())
        except KeyboardInterrupt:
            # The ordinary end: nothing is left to say.
            return INTERRUPTED
        finally:
            tools.providers.close()
