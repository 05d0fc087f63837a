"""The tree of `state` commands."""

from __future__ import annotations

import click

from batchctl.cli.state.list_ import list_
from batchctl.cli.state.lock import lock
from batchctl.cli.state.mv import mv
from batchctl.cli.state.pull import pull
from batchctl.cli.state.push import push
from batchctl.cli.state.rebind import rebind
from batchctl.cli.state.rebuild import rebuild
from batchctl.cli.state.rm import rm
from batchctl.cli.state.show import show


@click.group()
def state() -> None:
    """Show, repair, copy or move the state."""


for command in (list_, show, mv, rm, pull, push, rebuild, rebind, lock):
    state.add_command(command)
