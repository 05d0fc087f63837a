"""The tree of `prices` commands."""

from __future__ import annotations

from typing import Final

import click

from batchctl.cli.lazy_group import Entry, LazyGroup

COMMANDS: Final = {
    "list": Entry("batchctl.cli.prices.list_:list_", "Show the prices of the stack's models on a day."),
    "import": Entry("batchctl.cli.prices.import_:import_", "Make a price list of published prices."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def prices() -> None:
    """Show and import the prices of models."""
