"""`batchctl state rebuild`: make a lost or damaged state anew."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable

import click

from batchctl.cli.common import Common, common_options, lock_option, output_option
from batchctl.cli.output import emit, open_progress, stderr_console
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.engine.observe import Look, observe
from batchctl.manifests.accounts import resolve_account
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import BatchctlError
from batchctl.model.keys import Account, short_uid
from batchctl.model.observed import Observed
from batchctl.model.recorded import (
    AddEvent,
    Event,
    Recorded,
    RecordedJob,
    SaveAttempt,
    SaveIdentity,
    SaveJob,
    Write,
)
from batchctl.reconcile import rebuild as make_anew
from batchctl.reconcile import record_results
from batchctl.report.error_text import write_error
from batchctl.report.state_document import RebuildReport, rebuild_document
from batchctl.report.state_text import write_rebuild
from batchctl.rows.kept import KeptFolder, KeptResults, read_kept


@click.command()
@click.option("--force", is_flag=True, help="Even if there is a state that can be used.")
@output_option("json", "yaml")
@lock_option
@common_options
def rebuild(*, common: Common, force: bool, output: str, lock_timeout: str) -> None:
    """Make the state anew, from the marks on the jobs of all accounts and from the results folder.

    For a state that is lost or damaged; the old file is kept aside. Every account of the stack has to be readable in
    full. Nothing remote is touched.
    """
    workspace = open_workspace(common, lock_timeout=lock_timeout)
    if not force:
        workspace.state.require_lost()
    folder = read_kept(workspace.stack.results)
    accounts = {resolve_account(config, os.environ) for config in workspace.stack.providers.values()}
    results = _record_results(workspace, folder, accounts)
    observed = _observe(workspace, results, accounts)
    rebuilt = make_anew(workspace.desired, results, observed, workspace.clock.now())
    aside = workspace.state.rewrite([*_writes(workspace, rebuilt.jobs), *_identities(observed)], force=force)
    report = RebuildReport(workspace.stack.name, rebuilt.jobs, rebuilt.left_out, folder.faults, aside)
    emit(
        common,
        output,
        text=lambda console: write_rebuild(report, console),
        document=lambda: rebuild_document(report),
    )


def _record_results(workspace: Workspace, folder: KeptFolder, accounts: set[Account]) -> Recorded:
    stack = workspace.stack
    ours = [one for one in folder.kept if (one.stack, one.uid) == (stack.name, short_uid(stack.uid))]
    former: dict[str, set[str]] = defaultdict(set)
    kept = list(_without_copies(ours))
    for one in kept:
        former[one.attempt.key.job].add(one.written_for)
    attempts = [one.attempt for one in kept]
    return record_results(workspace.desired, attempts, former, accounts, workspace.clock.now())


def _without_copies(kept: Iterable[KeptResults]) -> Iterable[KeptResults]:
    """Each remote job's results once. A folder under the name that it was collected for is no copy."""
    by_remote: dict[tuple[Account, str | None], list[KeptResults]] = defaultdict(list)
    for one in kept:
        by_remote[one.attempt.account, one.attempt.remote].append(one)
    for copies in by_remote.values():
        yield min(copies, key=lambda one: (one.written_for != one.attempt.key.job, one.attempt.results or ""))


def _observe(workspace: Workspace, results: Recorded, accounts: set[Account]) -> Observed:
    """Look at all accounts. Raises BatchctlError when any cannot be read in full."""
    with open_progress(workspace) as progress:
        tools = workspace.tools(progress)
        try:
            look: Look = observe(workspace.desired, results, tools, also=accounts)
        finally:
            tools.providers.close()
    if look.errors:
        for error in look.errors.values():
            write_error(error, stderr_console(workspace.common), verbose=workspace.common.verbose)
        names = ", ".join(str(account) for account in look.errors)
        message = f"nothing was written: {names} could not be read in full"
        raise BatchctlError(message, code=ErrorCode.NOT_READ_IN_FULL, hint="mend that; then run the command again")
    return look.observed


def _writes(workspace: Workspace, jobs: tuple[RecordedJob, ...]) -> Iterable[Write]:
    now = workspace.clock.now()
    for job in jobs:
        yield SaveJob(job)
        yield from map(SaveAttempt, job.attempts)
        yield AddEvent(Event(now, job.name, None, "rebuilt", "batchctl state rebuild"))


def _identities(observed: Observed) -> Iterable[Write]:
    for account, look in observed.items():
        if look.identity:
            yield SaveIdentity(account, look.identity)
