"""The tree of `config` commands."""

from __future__ import annotations

from typing import Final

import click

from batchctl.cli.lazy_group import Entry, LazyGroup

COMMANDS: Final = {
    "view": Entry("batchctl.cli.config_view:view", "Show the configuration of the stack as it counts."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def config() -> None:
    """Show the configuration of the stack."""
