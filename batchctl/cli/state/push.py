"""`batchctl state push FILE`: put another state in the place of the present one."""

from __future__ import annotations

from pathlib import Path

import click

from batchctl.cli.common import Common, common_options, lock_option
from batchctl.cli.state.opening import open_stack_state
from batchctl.model.codes import ErrorCode
from batchctl.model.errors import GuardError, UsageError
from batchctl.model.recorded import Recorded


@click.command()
@click.argument("file")
@click.option("--force", is_flag=True, help="Even if FILE is older or comes from another line of states.")
@lock_option
@common_options
def push(*, common: Common, file: str, force: bool, lock_timeout: str) -> None:
    """Replace the state by FILE, after checks and a backup. FILE has to be this stack's and to continue the state.

    Never pushed: a file of another stack, one that is damaged, and one that is newer than this batchctl.
    """
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint="`batchctl state pull FILE` makes one")
    content = open_stack_state(common, path=path).state.content()
    opened = open_stack_state(common, lock_timeout)
    with opened.state.lock() as session:
        if not force:
            _require_successor(session.load(), content.recorded)
        backup = session.replace_content(content)
    click.echo(f"replaced the state; the former one is kept as {backup}", err=True)


def _require_successor(present: Recorded, given: Recorded) -> None:
    """Raise GuardError unless nothing of the present state is lost."""
    if present.is_new:
        return
    if given.lineage != present.lineage:
        message = "the file comes from another line of states than the present one"
    elif given.serial < present.serial:
        message = f"the file is older than the present state: serial {given.serial}, and that is at {present.serial}"
    else:
        return
    raise GuardError(
        f"{message}; what was recorded since would be forgotten", code=ErrorCode.STATE_DIVERGED, hint="--force"
    )
