"""`batchctl state show NAME...`: the complete record of a job."""

from __future__ import annotations

from functools import partial

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.job_selection import JobSelection, select_jobs
from batchctl.cli.output import Shown, emit_each
from batchctl.cli.state.opening import find_jobs, open_stack_state
from batchctl.reconcile import phase_on_record
from batchctl.report.state_document import JobRecord, state_show_document
from batchctl.report.state_text import write_state_show
from batchctl.state.writes import EVENTS_KEPT


@click.command()
@select_jobs(required=True)
@output_option("json", "yaml")
@common_options
def show(*, common: Common, selection: JobSelection, output: str) -> None:
    """Show everything that is recorded about each job.

    Attempts, the input of their digests, and history. Makes no call to an API.
    """
    opened = open_stack_state(common)
    shown = []
    for job in find_jobs(opened, opened.state.load(), selection):
        events = tuple(opened.state.events(job.name, EVENTS_KEPT))
        record = JobRecord(opened.stack.name, job, phase_on_record(job), events)
        shown.append(Shown(partial(write_state_show, record), partial(state_show_document, record)))
    emit_each(common, output, shown, alone=selection.names_one)
