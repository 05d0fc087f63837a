"""`batchctl ui`: the web page of a stack, without watching."""

from __future__ import annotations

import sys
from functools import partial

import click
from msgspec.structs import replace

from batchctl.cli.common import Common, common_options
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.manifest_reload import ManifestReload
from batchctl.cli.notes import json_log
from batchctl.cli.serve_options import DEFAULT_ADDRESS, ServeOptions, serve_options
from batchctl.cli.start_signals import INTERRUPTED
from batchctl.cli.web import serve, snapshot
from batchctl.cli.workspace import Workspace
from batchctl.engine.loop.record_looks import RecordLook, RecordLooks
from batchctl.engine.warnings import LastSaid, Warnings
from batchctl.model.stack import SharedPlace
from batchctl.reconcile import Options
from batchctl.report.progress_kinds import make_lines
from batchctl.server.snapshot import Snapshot, Source

_PAUSE = 1.0
_SHARED_PAUSE = 10.0
"""Seconds between two looks; at a shared state, a look is a request."""
_WORK_SHARE = 10
"""A look that takes long is made seldom: it takes at most this part of the time."""


@click.command()
@select_jobs()
@serve_options(DEFAULT_ADDRESS)
@common_options
def ui(*, common: Common, selection: JobSelection, serving: ServeOptions) -> int:
    """Serve a web page of the stack, until Ctrl-C.

    Shows the state as it is recorded, and follows its changes. Calls no API, takes no lock and writes nothing: jobs
    move on if `watch` or `apply` runs somewhere. With --show-rows, results in a bucket are read when they are opened.
    """
    workspace = open_selected(common, selection, offline=True)
    lines = make_lines(sys.stderr, workspace.clock, log=json_log(), quiet=common.quiet)
    reload = ManifestReload(workspace)
    looks = RecordLooks(
        reload,
        reload.are_same,
        Options(workspace.scope),
        workspace.state,
        workspace.clock,
        Warnings(lines, LastSaid()),
    )
    shortest = pause = _SHARED_PAUSE if isinstance(workspace.stack.state, SharedPlace) else _PAUSE
    try:
        with serve(workspace, serving, lines.warn) as feed:
            found: RecordLook | None = looks.look()
            while True:
                if found is not None:
                    feed.publish(partial(_snapshot, reload.workspace, found))
                workspace.clock.sleep(pause)
                begin = workspace.clock.elapsed()
                found = looks.news()
                pause = max(shortest, _WORK_SHARE * (workspace.clock.elapsed() - begin))
    except KeyboardInterrupt:
        # The ordinary end: nothing is left to say.
        return INTERRUPTED


def _snapshot(workspace: Workspace, found: RecordLook) -> Snapshot:
    # The last good manifests, which need not be those of the last reading.
    seen = replace(workspace, desired=found.desired)
    return snapshot(seen, found.plan, found.recorded, Source.STATE)
