"""`batchctl state rm NAME...`: delete records; remote jobs are not touched."""

from __future__ import annotations

import click

from batchctl.cli.common import Common, common_options, consent_options, lock_option
from batchctl.cli.consent import Consent, require_consent
from batchctl.cli.job_selection import JobSelection, select_jobs
from batchctl.cli.notes import note
from batchctl.cli.state.opening import Opened, find_jobs, open_stack_state
from batchctl.model.events import EventKind
from batchctl.model.recorded import Recorded, RecordedJob
from batchctl.model.writes import Write
from batchctl.reconcile import forget_job, found_by_mark, require_settled


@click.command()
@select_jobs(required=True)
@consent_options
@click.option("--force", is_flag=True, help="Delete the record even if a create call has no reply yet.")
@lock_option
@common_options
def rm(*, common: Common, selection: JobSelection, yes: bool, no_input: bool, force: bool, lock_timeout: str) -> None:
    """Delete the records of jobs; their remote jobs stay.

    A remote job that carries a mark is found again by the next `apply`. A job whose remote job is gone, or never had a
    mark, is not: if its manifest still exists, the next `apply` creates it again.
    """
    opened = open_stack_state(common, lock_timeout)
    jobs = _find(opened, opened.state.load(), selection, force=force)
    if not jobs:
        return
    for job in jobs:
        note(f"{job.name}: {_consequence(job)}", job=job.name)
    message = f"{', '.join(job.name for job in jobs)} would be deleted from the state; this needs consent"
    require_consent(Consent(yes, no_input), "Do you want to delete these records?", message)
    named = JobSelection(tuple(job.name for job in jobs))
    with opened.state.lock() as session:
        writes: list[Write] = []
        for job in _find(opened, session.load(), named, force=force):
            writes.append(opened.event(job.name, EventKind.FORGOTTEN, "batchctl state rm"))
            writes += forget_job(job, opened.clock.now())
        session.commit(writes)


def _find(opened: Opened, recorded: Recorded, selection: JobSelection, *, force: bool) -> list[RecordedJob]:
    jobs = find_jobs(opened, recorded, selection)
    if not force:
        require_settled(jobs)
    return jobs


def _consequence(job: RecordedJob) -> str:
    """The consequence for the job, from its record."""
    found = found_by_mark(job)
    if found:
        return f"the next `apply` finds {', '.join(found)} again by its mark; without a manifest it is an orphan"
    return "its remote job cannot be found again; if its manifest still exists, the next `apply` creates the job again"
