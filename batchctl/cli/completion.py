"""`batchctl completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from batchctl.cli.common import Common, common_options


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(*, common: Common, shell: str) -> None:
    """Print the completion script for SHELL.

    To switch it on: `source <(batchctl completion bash)`.
    """
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    # Without click's class for bash, which starts bash and passes it the whole environment.
    click.echo(ShellComplete.source(found(root, {}, "batchctl", "_BATCHCTL_COMPLETE")))
