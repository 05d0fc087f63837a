"""`batchctl apply`: execute the plan."""

from __future__ import annotations

import click

from batchctl.cli.common import (
    Common,
    common_options,
    consent_options,
    failed_option,
    guard_options,
    lock_option,
    output_option,
    scope_options,
)
from batchctl.cli.consent import Consent
from batchctl.cli.empty_scope import warn_of_empty_scope
from batchctl.cli.guard_options import Flag, guarded_options
from batchctl.cli.plan import show_plan
from batchctl.cli.run_plan import Request, carry_out
from batchctl.cli.workspace import open_workspace, time_limit
from batchctl.engine.loop.drive import Until
from batchctl.engine.loop.verdict import Measure
from batchctl.model.errors import UsageError


@click.command()
@click.argument("saved_plan", metavar="[PLAN]", required=False)
@scope_options
@output_option("json", "yaml", "markdown", "name")
@consent_options
@click.option("--wait", is_flag=True, help="Wait until all jobs have ended and are collected.")
@click.option("--timeout", metavar="TIME", help="Stop waiting after this time (exit 7).")
@click.option("--dry-run", is_flag=True, help="Show the plan without carrying it out.")
@failed_option
@guard_options
@lock_option
@common_options
def apply(
    *,
    common: Common,
    saved_plan: str | None,
    filenames: tuple[str, ...],
    selector: str | None,
    output: str,
    yes: bool,
    no_input: bool,
    wait: bool,
    timeout: str | None,
    dry_run: bool,
    allow_failed: bool,
    lock_timeout: str,
    **guards: Flag,
) -> int:
    """Carry out the plan: create, update, cancel, delete, collect.

    The manifests are read again when the lock is taken, and that reading counts. If they change during --wait, the run
    ends (exit 6, `ManifestsChanged`).
    """
    if saved_plan is not None:
        raise UsageError("saved plans are not supported yet", hint="name manifests with -f; `apply` takes no names")
    workspace = open_workspace(common, filenames, selector, lock_timeout=lock_timeout)
    warn_of_empty_scope(workspace, filenames, selector, workspace.state.load())
    options = guarded_options(workspace, guards)
    if dry_run:
        return show_plan(workspace, options, output, detailed_exitcode=False)
    limit = time_limit(timeout)
    until = Until(ended=wait, timeout=limit)
    measure = Measure(jobs=True, waited=wait, allow_failed=allow_failed)
    return carry_out(workspace, Request(options, until, Consent(yes, no_input), output, measure=measure))
