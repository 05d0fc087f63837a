"""`batchctl state push FILE`: replace the state."""

from __future__ import annotations

from pathlib import Path

import click

from batchctl.cli import complete
from batchctl.cli.common import Common, common_options, lock_option
from batchctl.cli.notes import note
from batchctl.cli.state.opening import open_stack_state
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, UsageError
from batchctl.model.recorded import Recorded
from batchctl.model.writes import Write
from batchctl.reconcile import find_lost_calls
from batchctl.state.whole_state import find_divergence


@click.command()
@click.argument("file", shell_complete=complete.files)
@click.option("--force", is_flag=True, help="Push FILE even if it does not continue the present state.")
@lock_option
@common_options
def push(*, common: Common, file: str, force: bool, lock_timeout: str) -> None:
    """Replace the state with FILE, after checks and a backup.

    FILE has to belong to this stack and to continue the present state. A damaged file, a file of another stack and a
    file of a newer batchctl are always refused. A create call without a known outcome is never lost.
    """
    path = Path(file).resolve()
    if not path.is_file():
        raise UsageError(f"there is no file {file}", hint="`batchctl state pull FILE` writes one")
    content = open_stack_state(common, path=path).state.content()
    opened = open_stack_state(common, lock_timeout)
    with opened.state.lock() as session:
        present = opened.state.content()
        divergence = find_divergence(present, content)
        if divergence is not None and not force:
            message = f"{divergence}; records since then would be lost"
            raise GuardError(message, code=ErrorCode.STATE_DIVERGED, hint="--force")
        carried = () if divergence is None else _keep_open_calls(present.recorded, content.recorded)
        backup = session.replace_content(content, carried)
    note(f"replaced the state; the former one is kept as {backup}")
    if carried:
        note("kept from the former state: create calls without a reply")


def _keep_open_calls(present: Recorded, given: Recorded) -> tuple[Write, ...]:
    """The writes that keep the open create calls. Raises GuardError if the file has others in their place."""
    lost = find_lost_calls(present, given)
    if lost.taken:
        message = f"{lost.taken[0]} has a create call without a known outcome, and the file has another one"
        hint = "run `batchctl apply` first: it settles the call"
        raise GuardError(message, code=ErrorCode.UNSETTLED, hint=hint)
    return lost.writes
