"""`batchctl apply`: execute the plan."""

from __future__ import annotations

import click

from batchctl.cli import complete
from batchctl.cli.common import (
    Common,
    common_options,
    consent_options,
    failed_option,
    guard_options,
    lock_option,
    not_empty,
    output_option,
    scope_options,
)
from batchctl.cli.consent import Consent
from batchctl.cli.engine_tools import token_samples
from batchctl.cli.events_file import events_option
from batchctl.cli.guard_options import Flag, guarded_options
from batchctl.cli.job_selection import JobSelection, warn_of_empty_scope
from batchctl.cli.plan import PlanOutput, show_plan
from batchctl.cli.plan_argument import open_saved, read_saved, require_jobs
from batchctl.cli.plan_options import PlanOptions
from batchctl.cli.preview import warn_of_manifests
from batchctl.cli.record_option import record_option
from batchctl.cli.reviewed import only_expected, only_saved, read_digest
from batchctl.cli.run_plan import Request, carry_out
from batchctl.cli.workspace import open_workspace, time_limit
from batchctl.engine.loop.drive import Until
from batchctl.engine.loop.verdict import Measure
from batchctl.engine.tools import BlackBox
from batchctl.report.run_events import RunEvents


@click.command()
@click.argument(
    "words", metavar="[PLAN | NAME...]", nargs=-1, callback=not_empty, shell_complete=complete.jobs_or_files
)
@scope_options
@output_option("json", "yaml", "markdown", "name")
@consent_options
@click.option("--expect", metavar="DIGEST", help="Apply only if the plan still has this digest, which `plan` shows.")
@click.option("--wait", is_flag=True, help="Wait until all jobs have ended and are collected.")
@click.option("--timeout", metavar="TIME", help="Stop waiting after this time (exit 7).")
@click.option("--dry-run", is_flag=True, help="Show the plan without carrying it out.")
@failed_option
@guard_options
@lock_option
@record_option
@events_option("apply")
@common_options
def apply(
    *,
    common: Common,
    words: tuple[str, ...],
    filenames: tuple[str, ...],
    selector: str | None,
    output: str,
    yes: bool,
    no_input: bool,
    expect: str | None,
    wait: bool,
    timeout: str | None,
    dry_run: bool,
    allow_failed: bool,
    lock_timeout: str,
    events: RunEvents,
    black_box: BlackBox,
    **guards: Flag,
) -> int:
    """Carry out the plan: create, update, cancel, delete, collect.

    NAME limits it to these jobs. PLAN is a file of `plan --out`: it is carried out as it is, without a question, or
    refused (exit 6, `PlanStale`) if a job of it or its manifests have changed since. A file without an ending is
    written as ./FILE.

    The manifests are read again when the lock is taken, and that reading counts. If they change during --wait, the run
    ends (exit 6, `ManifestsChanged`).
    """
    digest = None if expect is None else read_digest(expect)
    saved = read_saved(words, filenames, selector, guards)
    if saved is None:
        workspace = open_workspace(common, filenames, selector, words, lock_timeout, sends_rows=True)
        require_jobs(workspace, words)
        reviewed = None if digest is None else only_expected(digest)
    else:
        common, filenames, selector, guards = open_saved(saved, common, digest)
        names = saved.options.names
        workspace = open_workspace(common, filenames, selector, names, lock_timeout, sends_rows=True)
        reviewed = only_saved(saved)
    scope = JobSelection((), filenames, selector)
    warn_of_empty_scope(scope, workspace.stack, workspace.desired.jobs, workspace.recorded)
    options = guarded_options(workspace, guards)
    if dry_run:
        given = PlanOptions.of(workspace, selector, guards)
        return show_plan(
            workspace, options, PlanOutput(output, given, reviewed=reviewed, events=events, black_box=black_box)
        )
    warn_of_manifests(workspace)
    until = Until(ended=wait, timeout=time_limit(timeout))
    measure = Measure(jobs=True, waited=wait, allow_failed=allow_failed)
    consent = Consent(yes, no_input)
    request = Request(
        options,
        until,
        consent,
        output,
        measure=measure,
        reviewed=reviewed,
        events=events,
        black_box=black_box,
        samples=token_samples(workspace),
    )
    return carry_out(workspace, request)
