"""`batchctl state show NAME`: the complete record of one job."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.output import emit
from batchctl.cli.state.opening import find_job, open_stack_state
from batchctl.reconcile import phase_on_record
from batchctl.report.state_document import JobRecord, state_show_document
from batchctl.report.state_text import write_state_show
from batchctl.state.writes import EVENTS_KEPT


@click.command()
@click.argument("name")
@output_option("json", "yaml")
@common_options
def show(*, common: Common, name: str, output: str) -> None:
    """Show everything that is recorded about one job.

    Attempts, the input of their digests, and history. Makes no call to an API.
    """
    opened = open_stack_state(common)
    job = find_job(opened.state.load(), name)
    events = tuple(opened.state.events(name, EVENTS_KEPT))
    record = JobRecord(opened.stack.name, job, phase_on_record(job), events)
    emit(
        common,
        output,
        text=lambda console: write_state_show(record, console),
        document=lambda: state_show_document(record),
    )
