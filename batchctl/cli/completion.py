"""`batchctl completion`: the script that lets a shell complete our words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from batchctl.cli.common import Common, common_options


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(*, common: Common, shell: str) -> None:
    """Print the completion script for SHELL; `source <(batchctl completion bash)` switches it on."""
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, "batchctl", "_BATCHCTL_COMPLETE").source())
