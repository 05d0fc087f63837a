"""`batchctl state rebind`: bind recorded jobs to another account or to other credentials."""

from __future__ import annotations

import os

import click

from batchctl.cli import complete
from batchctl.cli.call_progress import watch_calls
from batchctl.cli.common import Common, common_options, lock_option
from batchctl.cli.connect import Connections
from batchctl.cli.job_selection import JobSelection, select_jobs
from batchctl.cli.notes import note
from batchctl.cli.state.opening import Opened, find_jobs, open_stack_state
from batchctl.cli.tracing import new_board
from batchctl.engine.rebinding import bind_jobs
from batchctl.manifests.accounts import resolve_account
from batchctl.manifests.trust import Trust
from batchctl.model.allowance import Allowance
from batchctl.model.errors import UsageError
from batchctl.model.events import EventKind
from batchctl.model.stack import ProviderConfig
from batchctl.reconcile import attempts_elsewhere


@click.command()
@select_jobs(required=True, all_help="Every recorded job.")
@click.option(
    "--to",
    "to",
    metavar="PROVIDER",
    required=True,
    shell_complete=complete.providers,
    help="The stack's provider that has the jobs now.",
)
@click.option("--force", is_flag=True, help="Bind jobs that the account does not show; they count as gone.")
@lock_option
@common_options
def rebind(*, common: Common, selection: JobSelection, to: str, force: bool, lock_timeout: str) -> None:
    """Bind recorded jobs to the account of another provider.

    For a moved endpoint, a renamed project or a new key. Only jobs that the account shows are bound. Nothing is changed
    at the API.
    """
    opened = open_stack_state(common, lock_timeout)
    config = _config(opened, to)
    account, board = resolve_account(config, os.environ), new_board()
    provider = Connections(opened.stack, os.environ, Trust.from_env(os.environ), opened.clock, board)(account)
    try:
        with watch_calls(common, opened.clock, board), opened.state.lock() as session:
            recorded = session.load()
            jobs = find_jobs(opened, recorded, selection)
            with Allowance(opened.stack.limits.read_timeout.total_seconds()).holding():
                writes = tuple(bind_jobs(jobs, recorded, provider, config.name, force=force))
            why = f"to {account}, by batchctl state rebind"
            events = [opened.event(job.name, EventKind.REBOUND, why) for job in jobs]
            session.commit([*writes, *events])
    finally:
        provider.close()
    for job in jobs:
        doubt = "; only its mark identifies its work, so the next `apply` may ask for --adopt-changed"
        unknown = any(not attempt.tree for attempt in attempts_elsewhere(job, account))
        note(f"{job.name} is bound to {account}{doubt if unknown else ''}", job=job.name)


def _config(opened: Opened, name: str) -> ProviderConfig:
    providers = opened.stack.providers
    if name in providers:
        return providers[name]
    raise UsageError(f"there is no provider named {name}", hint=f"one of: {', '.join(sorted(providers))}")
