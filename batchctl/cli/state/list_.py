"""`batchctl state list`: the recorded jobs, without a call to an API."""

from __future__ import annotations

import click
from msgspec.structs import replace

from batchctl.cli.common import Common, common_options, output_option
from batchctl.cli.job_selection import JobSelection, select_jobs
from batchctl.cli.output import emit
from batchctl.cli.state.opening import find_jobs, open_stack_state
from batchctl.reconcile import phase_on_record
from batchctl.report.state_document import StateReport, state_list_document
from batchctl.report.state_text import write_state_list


@click.command("list")
@select_jobs()
@output_option("json", "yaml", "name")
@common_options
def list_(*, common: Common, selection: JobSelection, output: str) -> None:
    """List the recorded jobs, attempts and phases.

    Makes no call to an API.
    """
    opened = open_stack_state(common)
    recorded = opened.state.load()
    jobs = {job.name: job for job in find_jobs(opened, recorded, selection)}
    recorded = replace(recorded, jobs=jobs)
    phases = {name: phase_on_record(job) for name, job in jobs.items()}
    report = StateReport(opened.stack.name, recorded, phases)
    emit(
        common,
        output,
        text=lambda console: write_state_list(report, console),
        document=lambda: state_list_document(report),
        names=sorted(jobs),
    )
