"""`batchctl state rebuild`: make a lost or damaged state anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import click

from batchctl.cli.common import Common, common_options, lock_option, output_option
from batchctl.cli.output import emit, open_progress, stderr_console
from batchctl.cli.state.places import moved, placed
from batchctl.cli.workspace import Workspace, open_workspace
from batchctl.engine.observe import Look, observe
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import DesiredJob
from batchctl.model.errors import BatchctlError
from batchctl.model.events import Event, EventKind
from batchctl.model.kept import KeptResults
from batchctl.model.keys import Account, same_digest, short_uid
from batchctl.model.observed import Observed
from batchctl.model.recorded import (
    AddEvent,
    Recorded,
    RecordedAttempt,
    RecordedJob,
    SaveAttempt,
    SaveGhost,
    SaveIdentity,
    SaveJob,
    Write,
)
from batchctl.reconcile import find_open, find_strangers, ghosts_of, record_results, with_open
from batchctl.reconcile import rebuild as make_anew
from batchctl.report.error_text import write_error
from batchctl.report.state_document import RebuildReport, rebuild_document
from batchctl.report.state_text import write_rebuild
from batchctl.rows.kept import KeptFolder, read_kept


@click.command()
@click.option("--force", is_flag=True, help="Replace a state that is valid.")
@output_option("json", "yaml")
@lock_option
@common_options
def rebuild(*, common: Common, force: bool, output: str, lock_timeout: str) -> None:
    """Rebuild a lost state from the jobs' marks and results/.

    The old file is kept. Every account of the stack has to be readable in full. Nothing is changed at the API.
    """
    workspace = open_workspace(common, lock_timeout=lock_timeout)
    former = workspace.state.read_former(force=force)
    found = find_open(former, workspace.desired)
    folder = read_kept(workspace.stack.results)
    deleted = ghosts_of((one for job in former.jobs.values() for one in job.attempts), workspace.clock.now())
    ghosts = (*former.ghosts, *deleted)
    known = replace(with_open(_record_results(workspace, folder), found, workspace.desired), ghosts=ghosts)
    observed = _observe(workspace, known, found)
    rebuilt = make_anew(workspace.desired, known, observed, workspace.clock.now())
    jobs = tuple(_follow_accounts(job) for job in rebuilt.jobs)
    writes = [*_writes(workspace, jobs), *_identities(observed), *map(SaveGhost, ghosts)]
    aside = workspace.state.rewrite(writes, former, force=force)
    report = RebuildReport(
        workspace.stack.name, jobs, rebuilt.left_out, folder.faults, aside, calls_known=not former.is_new
    )
    emit(
        common,
        output,
        text=lambda console: write_rebuild(report, console),
        document=lambda: rebuild_document(report),
    )


def _record_results(workspace: Workspace, folder: KeptFolder) -> Recorded:
    stack = workspace.stack
    ours = [one for one in folder.kept if (one.stack, one.uid) == (stack.name, short_uid(stack.uid))]
    former: dict[str, set[str]] = defaultdict(set)
    kept = list(_without_copies(ours))
    for one in kept:
        former[one.attempt.key.job].add(one.written_for)
    manifests = {job.name: job for job in workspace.desired.jobs}
    attempts = [_with_work(one.attempt, manifests.get(one.attempt.key.job)) for one in kept]
    return record_results(workspace.desired, attempts, former, workspace.desired.accounts, workspace.clock.now())


def _with_work(attempt: RecordedAttempt, wanted: DesiredJob | None) -> RecordedAttempt:
    """The attempt with what went into its digest, where that is the manifest's work at another account.

    Then what the attempt did is known, wherever its account went (`state rebind`).
    """
    if wanted is None or wanted.account == attempt.account:
        return attempt
    there = moved(replace(attempt, tree=wanted.tree), attempt.account)
    return there if same_digest(there.digest, attempt.digest) else attempt


def _follow_accounts(job: RecordedJob) -> RecordedJob:
    """The job with the work of each attempt at the account that showed it."""
    attempts = (
        moved(one, one.account) if one.tree and placed(one.tree, one.account) != one.tree else one
        for one in job.attempts
    )
    return replace(job, attempts=tuple(attempts))


def _without_copies(kept: Iterable[KeptResults]) -> Iterable[KeptResults]:
    """Each remote job's results once. A folder under the name that it was collected for is no copy."""
    by_remote: dict[tuple[Account, str | None], list[KeptResults]] = defaultdict(list)
    for one in kept:
        by_remote[one.attempt.account, one.attempt.remote].append(one)
    for (_, remote), copies in by_remote.items():
        if remote is None:
            # Copies of results that were used again: each is its own job's.
            yield from copies
            continue
        yield min(copies, key=lambda one: (one.written_for != one.attempt.key.job, one.attempt.results or ""))


def _observe(workspace: Workspace, known: Recorded, found: Recorded) -> Observed:
    """Look at all accounts. Raises BatchctlError when any cannot be read in full."""
    with open_progress(workspace) as progress:
        tools = workspace.tools(progress)
        try:
            look: Look = observe(workspace.desired, known, tools, also=workspace.desired.accounts)
        finally:
            tools.providers.close()
    errors = {**look.errors, **_strangers(found, look.observed)}
    if errors:
        for error in errors.values():
            write_error(error, stderr_console(workspace.common), verbose=workspace.common.verbose)
        names = ", ".join(str(account) for account in errors)
        message = f"nothing was written: {names} could not be read in full"
        raise BatchctlError(message, code=ErrorCode.NOT_READ_IN_FULL, hint="mend that; then run the command again")
    return look.observed


def _strangers(found: Recorded, observed: Observed) -> dict[Account, BatchctlError]:
    """The accounts that are seen through another key than the former state's, which shows nothing of its open work."""
    hint = "set the key of the project that the jobs are in"
    return {
        account: BatchctlError(problem, code=ErrorCode.OTHER_KEY, hint=hint)
        for account, problem in find_strangers(found, observed).items()
    }


def _writes(workspace: Workspace, jobs: tuple[RecordedJob, ...]) -> Iterable[Write]:
    now = workspace.clock.now()
    for job in jobs:
        yield SaveJob(job)
        yield from map(SaveAttempt, job.attempts)
        yield AddEvent(Event(now, job.name, None, EventKind.REBUILT.words, "batchctl state rebuild"))


def _identities(observed: Observed) -> Iterable[Write]:
    for account, look in observed.items():
        if look.identity:
            yield SaveIdentity(account, look.identity)
