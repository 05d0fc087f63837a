"""The tree of `state` commands."""

from __future__ import annotations

from typing import Final

import click

from batchctl.cli.lazy_group import LazyGroup

_PLACES: Final = {
    "list": "batchctl.cli.state.list_:list_",
    "lock": "batchctl.cli.state.lock:lock",
    "mv": "batchctl.cli.state.mv:mv",
    "pull": "batchctl.cli.state.pull:pull",
    "push": "batchctl.cli.state.push:push",
    "rebind": "batchctl.cli.state.rebind:rebind",
    "rebuild": "batchctl.cli.state.rebuild:rebuild",
    "rm": "batchctl.cli.state.rm:rm",
    "show": "batchctl.cli.state.show:show",
}


@click.group(cls=LazyGroup, places=_PLACES)
def state() -> None:
    """Show, repair, copy or move the state."""
