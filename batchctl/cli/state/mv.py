"""`batchctl state mv FROM TO`: rename a job in the state, so that renaming its manifest buys nothing."""

from __future__ import annotations

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options, lock_option
from batchctl.cli.notes import note
from batchctl.cli.state.opening import find_job, open_stack_state
from batchctl.model.events import EventKind
from batchctl.reconcile import rename, require_free_name


@click.command()
@click.argument("name", metavar="FROM", shell_complete=complete.jobs)
@click.argument("to", metavar="TO")
@lock_option
@common_options
def mv(*, common: Common, name: str, to: str, lock_timeout: str) -> None:
    """Rename the job FROM to TO in the state and in results/.

    Rename it in its manifest too: then the next `apply` neither cancels nor creates anything. Marks on remote jobs keep
    the former name, which the state remembers.
    """
    opened = open_stack_state(common, lock_timeout)
    results = opened.results.store
    with opened.state.lock() as session:
        recorded = session.load()
        job = find_job(recorded, name)
        require_free_name(to, recorded)
        # The folder first: after a crash in between, the same command finds it moved and continues.
        moved = results.rename_job(name, to)
        session.commit(
            [*rename(job, to, recorded), opened.event(to, EventKind.RENAMED, f"from {name}, by batchctl state mv")]
        )
    folder = " and its results folder" if moved else ""
    note(f"renamed {name}{folder} to {to}; set metadata.name: {to} in its manifest", job=to)
