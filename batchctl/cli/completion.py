"""`batchctl completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

import batchctl.cli.shells  # noqa: F401 - registers itself
from batchctl.cli.common import Common, common_options


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(*, common: Common, shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish.

    To switch it on, in the start-up file of the shell: `source <(batchctl completion bash)`, the same with zsh (after
    `compinit`), and in fish `batchctl completion fish | source`.
    """
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, "batchctl", "_BATCHCTL_COMPLETE").source(), nl=False)
