"""`batchctl status -w`: the status, kept up to date. Only looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from batchctl.cli.engine_tools import open_tools
from batchctl.cli.manifest_reload import ManifestReload
from batchctl.cli.notes import json_log
from batchctl.cli.output import stdout_console
from batchctl.cli.plan_output import status_report
from batchctl.cli.start_signals import INTERRUPTED
from batchctl.cli.workspace import Workspace
from batchctl.engine.loop.looks import Looks
from batchctl.engine.loop.polling import Pace
from batchctl.model.events import Event
from batchctl.reconcile import Options
from batchctl.report.console import is_terminal
from batchctl.report.screen.live import Screen
from batchctl.report.status_order import SortKey, sort_status
from batchctl.report.status_watch import StatusLines

_EVENTS = 50
"""Events that are shown of the time between two looks; at first the last few of them."""
_FIRST_EVENTS = 5


def watch_status(workspace: Workspace, sort_by: SortKey | None) -> int:
    """Show the jobs until a signal ends it; gives the exit code. Raises what the first look raises."""
    common, reload = workspace.common, ManifestReload(workspace)
    news = _News(workspace)
    view: Screen | StatusLines = (
        Screen(stdout_console(common), workspace.clock, verbose=common.verbose).follow(workspace.board)
        if is_terminal(sys.stdout, os.environ)
        else StatusLines(sys.stdout, sys.stderr, workspace.clock, json_log())
    )
    with view:
        tools = open_tools(workspace, view)
        looks = Looks(reload, Options(workspace.scope), tools, None, Pace())
        try:
            while True:
                seen = looks.look()
                report = status_report(reload.workspace, seen.plan, seen.recorded)
                if isinstance(view, Screen):
                    view.happened(news.since(seen.recorded.serial, {row.job for row in report.jobs}))
                view.show(report if sort_by is None else sort_status(report, sort_by), in_order=sort_by is not None)
                looks.pause(())
        except KeyboardInterrupt:
            # The ordinary end: nothing is left to say.
            return INTERRUPTED
        finally:
            tools.providers.close()


class _News:
    """The newest events of the state, each once."""

    def __init__(self, workspace: Workspace) -> None:
        self._state = workspace.state
        self._serial: int | None = None
        self._last: Sequence[Event] = ()

    def since(self, serial: int, jobs: set[str]) -> list[Event]:
        """The events of these jobs since the last look; at first a few. The state is read only if it has changed."""
        if serial == self._serial:
            return []
        is_first, self._serial = self._serial is None, serial
        now = self._state.events(None, _EVENTS)
        known = [*self._last]
        self._last = now
        fresh = [event for event in now if event not in known and event.job in jobs]
        return fresh[-_FIRST_EVENTS:] if is_first else fresh
