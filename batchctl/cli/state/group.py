"""The tree of `state` commands."""

from __future__ import annotations

from typing import Final

import click

from batchctl.cli.lazy_group import Entry, LazyGroup

COMMANDS: Final = {
    "list": Entry("batchctl.cli.state.list_:list_", "List the recorded jobs, attempts and phases."),
    "lock": Entry("batchctl.cli.state.lock:lock", "Show or break the lock of the state."),
    "migrate": Entry(
        "batchctl.cli.state.migrate:migrate", "Move the state to another place, and leave a marker that names it."
    ),
    "mv": Entry("batchctl.cli.state.mv:mv", "Rename the job FROM to TO in the state and in results/."),
    "pull": Entry("batchctl.cli.state.pull:pull", "Write a consistent copy of the state to FILE or stdout."),
    "push": Entry("batchctl.cli.state.push:push", "Replace the state with FILE, after checks and a backup."),
    "rebind": Entry("batchctl.cli.state.rebind:rebind", "Bind recorded jobs to the account of another provider."),
    "rebuild": Entry("batchctl.cli.state.rebuild:rebuild", "Rebuild a lost state from the jobs' marks and results/."),
    "rm": Entry("batchctl.cli.state.rm:rm", "Delete the records of jobs; their remote jobs stay."),
    "show": Entry("batchctl.cli.state.show:show", "Show everything that is recorded about each job."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def state() -> None:
    """Show, repair, copy or move the state."""
