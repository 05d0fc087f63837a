"""`batchctl report`: the web page of a stack as one file."""

from __future__ import annotations

from pathlib import Path

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options
from batchctl.cli.job_selection import JobSelection, open_selected, select_jobs
from batchctl.cli.out_file import open_out
from batchctl.cli.web import as_recorded
from batchctl.reconcile import Options
from batchctl.server.documents.report import report_document
from batchctl.server.history import MOST_EVENTS
from batchctl.server.report_page import report_page
from batchctl.server.static_files import read_static
from batchctl.server.view import View


@click.command()
@select_jobs()
@click.option(
    "--html", metavar="FILE", required=True, shell_complete=complete.files, help="Write the page into this file."
)
@common_options
def report(*, common: Common, selection: JobSelection, html: str) -> None:
    """Write the web page of the stack into one file, such as an artifact of CI.

    Shows the state as it is recorded, without requests and answers. Calls no API and takes no lock.
    """
    workspace = open_selected(common, selection, offline=True)
    view = View(as_recorded(workspace, Options(workspace.scope)), "report", 1, None)
    events = workspace.state.events(None, MOST_EVENTS)
    if selection.names or not workspace.scope.is_whole:
        events = [event for event in events if event.job in view.row_of]
    page = report_page(read_static(), report_document(view, events, workspace.clock.now()))
    with open_out(Path(html)) as stream:
        stream.write(page.encode())
