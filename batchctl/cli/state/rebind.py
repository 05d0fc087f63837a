"""`batchctl state rebind`: bind recorded jobs to another account, or to other credentials of the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import click

from batchctl.cli.common import Common, common_options, lock_option
from batchctl.cli.connect import Connections
from batchctl.cli.state.opening import Opened, find_job, open_stack_state
from batchctl.cli.state.places import moved
from batchctl.cli.watching import watch_calls
from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.trust import Trust
from batchctl.model.allowance import Allowance
from batchctl.model.codes import ErrorCode
from batchctl.model.desired import ProviderConfig
from batchctl.model.errors import GuardError, NotFound, PermissionDenied, UsageError
from batchctl.model.events import EventKind
from batchctl.model.keys import Account
from batchctl.model.ports import Provider
from batchctl.model.recorded import (
    Recorded,
    RecordedAttempt,
    RecordedJob,
    SaveAttempt,
    SaveIdentity,
    SaveJob,
    Write,
)
from batchctl.report.activity import Board


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every recorded job.")
@click.option("--to", "target", metavar="PROVIDER", required=True, help="The stack's provider that has the jobs now.")
@click.option("--force", is_flag=True, help="Bind jobs that the account does not show; they count as gone.")
@lock_option
@common_options
def rebind(
    *, common: Common, names: tuple[str, ...], everything: bool, target: str, force: bool, lock_timeout: str
) -> None:
    """Bind recorded jobs to the account of another provider.

    For a moved endpoint, a renamed project or a new key. Only jobs that the account shows are bound. Nothing is changed
    at the API.
    """
    if everything == bool(names):
        raise UsageError("say which jobs: names, or --all", hint="`batchctl state list` lists the recorded jobs")
    opened = open_stack_state(common, lock_timeout)
    config = _config(opened, target)
    account, board = resolve_account(config, os.environ), Board()
    provider = Connections(opened.stack, os.environ, Trust.from_env(os.environ), opened.clock, board)(account)
    try:
        with watch_calls(common, opened.clock, board), opened.state.lock() as session:
            recorded = session.load()
            jobs = [
                find_job(recorded, name) for name in (sorted(recorded.jobs) if everything else dict.fromkeys(names))
            ]
            with Allowance(opened.stack.limits.read_timeout.total_seconds()).holding():
                _require_shown(jobs, recorded, provider, force=force)
            writes: list[Write] = [SaveIdentity(account, provider.identity)] if provider.identity else []
            for job in jobs:
                writes += bind(job, config.name, account)
                writes.append(opened.event(job.name, EventKind.REBOUND, f"to {account}, by batchctl state rebind"))
            session.commit(writes)
    finally:
        provider.close()
    for job in jobs:
        doubt = "; its work is known by its mark alone, so the next `apply` may ask for --adopt-changed"
        unknown = any(not attempt.tree for attempt in _moving(job, account))
        click.echo(f"{job.name} is bound to {account}{doubt if unknown else ''}", err=True)


def bind(job: RecordedJob, provider: str, account: Account) -> Iterator[Write]:
    """The writes that bind a job to an account: an account is part of the work, so digests follow."""
    yield SaveJob(replace(job, provider=provider, account=account, attempts=()))
    for attempt in _moving(job, account):
        yield SaveAttempt(moved(attempt, account))


def _moving(job: RecordedJob, account: Account) -> list[RecordedAttempt]:
    return [attempt for attempt in job.attempts if attempt.account != account]


def _config(opened: Opened, name: str) -> ProviderConfig:
    providers = opened.stack.providers
    if name in providers:
        return providers[name]
    raise UsageError(f"there is no provider {name}", hint=f"one of: {', '.join(sorted(providers))}")


@dataclass(frozen=True)
class _Shown:
    """What the account shows."""

    names: frozenset[str]
    tokens: frozenset[str]
    provider: Provider

    def has(self, attempt: RecordedAttempt) -> bool:
        """Whether an attempt's remote job is there. A job that a list lacks, or that carries no mark, is asked for."""
        if attempt.remote is None:
            return attempt.token in self.tokens
        if attempt.remote in self.names:
            return True
        try:
            self.provider.get_job(attempt.remote)
        except (NotFound, PermissionDenied):
            return False
        return True


def _require_shown(jobs: list[RecordedJob], recorded: Recorded, provider: Provider, *, force: bool) -> None:
    """Raise GuardError unless the account shows the jobs, and all others that would count as gone by the same act.

    `force` is for the jobs that were named, never for those others.
    """
    listed = tuple(provider.list_jobs())
    tokens = frozenset(job.mark.token for job in listed if job.mark is not None)
    shown = _Shown(frozenset(job.name for job in listed), tokens, provider)
    chosen = {job.name for job in jobs}
    for job in recorded.jobs.values():
        for attempt in job.attempts:
            bound = attempt.account == provider.account and job.released_time is None
            concerned = not force if job.name in chosen else bound
            expected = not attempt.is_gone and (attempt.remote or attempt.intent)
            if concerned and expected and not shown.has(attempt):
                message = f"{provider.account} does not show {attempt.remote or 'the create call'} of {job.name}"
                hint = "check provider and credentials; --force binds it all the same, and it counts as gone"
                raise GuardError(message, code=ErrorCode.NOT_SHOWN, hint=hint)
